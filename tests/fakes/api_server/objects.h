// Kubernetes objects of any kind, through reflection.
#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <string_view>

#include "api/types.h"

namespace cubelet::fakes {

using google::protobuf::Message;
using ObjectPtr = std::shared_ptr<const Message>;  // shared by the store, its history and readers
using NewObject = std::unique_ptr<Message>;

// REQUIRES: `object` is an object of the API, with metadata.
metav1::ObjectMeta& MetaOf(Message& object);
const metav1::ObjectMeta& MetaOf(const Message& object);

NewObject NewOf(const google::protobuf::Descriptor* descriptor);
NewObject CopyOf(const Message& object);

// Whether the two say the same, as JSON has it.
bool SameContent(const Message& a, const Message& b);

// Makes the member `name` ("spec", "status") of `to` that of `from`; nothing when there is none.
void CopyMember(const Message& from, Message& to, std::string_view name);
bool SameMember(const Message& a, const Message& b, std::string_view name);

// What stands at a path of JSON names ("spec.nodeName"), as text; "" when nothing does.
std::string TextAt(const Message& object, std::string_view path);

}  // namespace cubelet::fakes
