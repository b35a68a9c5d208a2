#include "fakes/api_server/objects.h"

#include <google/protobuf/util/message_differencer.h>

#include <boost/json/value.hpp>

#include "api/codec.h"
#include "api/codec_types.h"
#include "base/check.h"
#include "base/strings.h"

namespace cubelet::fakes {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::util::MessageDifferencer;

const FieldDescriptor* FieldOf(const Message& object, std::string_view name) {
  return object.GetDescriptor()->FindFieldByName(std::string(name));
}

std::string ScalarText(const Message& message, const FieldDescriptor* field) {
  const auto* reflection = message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection->GetString(message, field);
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->GetBool(message, field) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_INT32:
      return std::to_string(reflection->GetInt32(message, field));
    case FieldDescriptor::CPPTYPE_INT64:
      return std::to_string(reflection->GetInt64(message, field));
    default:
      return "";
  }
}

}  // namespace

metav1::ObjectMeta& MetaOf(Message& object) {
  const FieldDescriptor* field = FieldOf(object, "metadata");
  CHECK(field != nullptr && field->message_type() == metav1::ObjectMeta::descriptor());
  return dynamic_cast<metav1::ObjectMeta&>(*object.GetReflection()->MutableMessage(&object, field));
}

const metav1::ObjectMeta& MetaOf(const Message& object) {
  const FieldDescriptor* field = FieldOf(object, "metadata");
  CHECK(field != nullptr && field->message_type() == metav1::ObjectMeta::descriptor());
  return dynamic_cast<const metav1::ObjectMeta&>(object.GetReflection()->GetMessage(object, field));
}

NewObject NewOf(const google::protobuf::Descriptor* descriptor) {
  const Message* prototype =
      google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor);
  return NewObject(prototype->New());
}

NewObject CopyOf(const Message& object) {
  NewObject copy(object.New());
  copy->CopyFrom(object);
  return copy;
}

bool SameContent(const Message& a, const Message& b) {
  // An empty message and an absent one mean the same where JSON says so.
  return MessageDifferencer::Equals(a, b) || api::ToJson(a) == api::ToJson(b);
}

void CopyMember(const Message& from, Message& to, std::string_view name) {
  const FieldDescriptor* field = FieldOf(from, name);
  if (field == nullptr) return;
  if (!from.GetReflection()->HasField(from, field)) {
    to.GetReflection()->ClearField(&to, field);
    return;
  }
  to.GetReflection()
      ->MutableMessage(&to, field)
      ->CopyFrom(from.GetReflection()->GetMessage(from, field));
}

bool SameMember(const Message& a, const Message& b, std::string_view name) {
  const FieldDescriptor* field = FieldOf(a, name);
  if (field == nullptr) return true;
  return SameContent(a.GetReflection()->GetMessage(a, field),
                     b.GetReflection()->GetMessage(b, field));
}

std::string TextAt(const Message& object, std::string_view path) {
  const Message* place = &object;
  for (;;) {
    const size_t dot = path.find('.');
    const api::MemberInfo* member =
        api::TypeInfo::Of(place->GetDescriptor()).Find(path.substr(0, dot));
    if (member == nullptr || member->field->descriptor->is_repeated()) return "";
    for (const FieldDescriptor* through : member->through)
      place = &place->GetReflection()->GetMessage(*place, through);
    const FieldDescriptor* field = member->field->descriptor;
    if (dot == std::string_view::npos) return ScalarText(*place, field);
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return "";
    place = &place->GetReflection()->GetMessage(*place, field);
    path.remove_prefix(dot + 1);
  }
}

}  // namespace cubelet::fakes
