// What the codec needs to know of a message type, worked out once per type from its descriptor and
// the options of proto/cubelet/json.proto. Internal to the codec.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "api/codec_special.h"

namespace cubelet::api {

struct FieldInfo {
  const google::protobuf::FieldDescriptor* descriptor = nullptr;
  std::string name;                  // in JSON
  Special special = Special::kNone;  // of the field's message type
  bool inlined = false;              // its members stand in the parent's object
  bool pointer = false;              // absent differs from zero
  bool always = false;               // written also when absent or zero
};

// A name of the JSON object and the field it stands for, through inlined messages if need be.
struct MemberInfo {
  std::vector<const google::protobuf::FieldDescriptor*> through;
  const FieldInfo* field = nullptr;
};

class TypeInfo {
 public:
  // Lives as long as the calling thread.
  static const TypeInfo& Of(const google::protobuf::Descriptor* descriptor);

  explicit TypeInfo(const google::protobuf::Descriptor* descriptor);
  TypeInfo(const TypeInfo&) = delete;
  TypeInfo& operator=(const TypeInfo&) = delete;

  // In the order of the schema, which is the order in which Kubernetes writes them.
  const std::vector<FieldInfo>& fields() const { return fields_; }

  // Null when no field has that name in JSON.
  const MemberInfo* Find(std::string_view name) const;

  Special special() const { return special_; }

  // Lists of objects: their items may carry apiVersion and kind like any object.
  bool is_list() const { return is_list_; }

 private:
  void AddMembers();

  std::vector<FieldInfo> fields_;
  absl::flat_hash_map<std::string, MemberInfo> members_;
  Special special_ = Special::kNone;
  bool is_list_ = false;
};

}  // namespace cubelet::api
