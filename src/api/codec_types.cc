#include "api/codec_types.h"

#include <memory>
#include <utility>

#include "base/strings.h"
#include "cubelet/json.pb.h"
#include "k8s.io/apimachinery/pkg/apis/meta/v1/generated.pb.h"

namespace cubelet::api {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

FieldInfo DescribeField(const FieldDescriptor* descriptor) {
  const google::protobuf::FieldOptions& options = descriptor->options();
  FieldInfo field;
  field.descriptor = descriptor;
  field.name = options.HasExtension(cubelet::json_name) ? options.GetExtension(cubelet::json_name)
                                                        : descriptor->name();
  field.inlined = options.GetExtension(cubelet::inlined);
  field.pointer = options.GetExtension(cubelet::pointer);
  field.always = options.GetExtension(cubelet::always);
  if (descriptor->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE)
    field.special = SpecialKind(descriptor->message_type());
  return field;
}

}  // namespace

const TypeInfo& TypeInfo::Of(const Descriptor* descriptor) {
  // Per thread, so that decoding on the pool needs no lock. Entries are never changed once made.
  thread_local absl::flat_hash_map<const Descriptor*, std::unique_ptr<const TypeInfo>> types;
  std::unique_ptr<const TypeInfo>& type = types[descriptor];
  if (type != nullptr) return *type;
  // Making one may need others: the map may move meanwhile.
  auto made = std::make_unique<const TypeInfo>(descriptor);
  std::unique_ptr<const TypeInfo>& place = types[descriptor];
  place = std::move(made);
  return *place;
}

TypeInfo::TypeInfo(const Descriptor* descriptor) : special_(SpecialKind(descriptor)) {
  fields_.reserve(static_cast<size_t>(descriptor->field_count()));
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* field = descriptor->field(i);
    fields_.push_back(DescribeField(field));
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
        field->message_type() ==
            ::k8s::io::apimachinery::pkg::apis::meta::v1::ListMeta::descriptor() &&
        descriptor->FindFieldByName("items") != nullptr)
      is_list_ = true;
  }
  AddMembers();
}

void TypeInfo::AddMembers() {
  for (const FieldInfo& field : fields_) {
    if (!field.inlined) {
      members_.emplace(field.name, MemberInfo{.through = {}, .field = &field});
      continue;
    }
    for (const auto& [name, inner] : TypeInfo::Of(field.descriptor->message_type()).members_) {
      MemberInfo member = inner;
      member.through.insert(member.through.begin(), field.descriptor);
      members_.emplace(name, std::move(member));
    }
  }
}

const MemberInfo* TypeInfo::Find(std::string_view name) const {
  const auto member = members_.find(ToAbsl(name));
  return member == members_.end() ? nullptr : &member->second;
}

}  // namespace cubelet::api
