#include "api/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/value.hpp>
#include <string>
#include <vector>

#include "api/types.h"
#include "api/yaml.h"
#include "base/strings.h"
#include "k8s.io/api/authentication/v1/generated.pb.h"
#include "k8s.io/api/coordination/v1/generated.pb.h"

namespace cubelet::api {
namespace {

namespace json = boost::json;
using ::k8s::io::api::authentication::v1::TokenReview;
using ::k8s::io::api::coordination::v1::Lease;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

json::value Json(std::string_view text) {
  absl::StatusOr<json::value> value = ParseJson(text);
  EXPECT_TRUE(value.ok()) << text << ": " << value.status();
  return value.ok() ? *value : nullptr;
}

template <typename T>
absl::Status Decode(std::string_view text, T& message, bool strict = true) {
  return FromJson(Json(text), message, {.strict = strict});
}

// The JSON that comes out of what went in.
template <typename T>
std::string Through(std::string_view text) {
  T message;
  const absl::Status status = Decode(text, message);
  return status.ok() ? Serialize(ToJson(message)) : std::string(Message(status));
}

template <typename T>
std::string DecodeError(std::string_view text) {
  T message;
  return std::string(Message(Decode(text, message)));
}

TEST(Codec, TimeHasWholeSecondsInUtc) {
  const auto through = [](std::string_view time) {
    return Through<v1::ContainerStateRunning>(StrCat(R"({"startedAt":)", time, "}"));
  };
  EXPECT_EQ(through(R"("2026-11-24T01:02:03Z")"), R"({"startedAt":"2026-11-24T01:02:03Z"})");
  EXPECT_EQ(through(R"("2026-11-24T01:02:03.987Z")"), R"({"startedAt":"2026-11-24T01:02:03Z"})");
  EXPECT_EQ(through(R"("2026-11-24T01:02:03+02:00")"), R"({"startedAt":"2026-11-23T23:02:03Z"})");
  EXPECT_EQ(through(R"("1969-12-31T23:59:58Z")"), R"({"startedAt":"1969-12-31T23:59:58Z"})");
  EXPECT_EQ(through("null"), R"({"startedAt":null})");
  EXPECT_EQ(through(R"("0001-01-01T00:00:00Z")"), R"({"startedAt":null})");
  for (const std::string_view bad :
       {R"("")", R"("infinite-past")", R"(" 2026-11-24T01:02:03Z")", R"("2026-11-24 01:02:03Z")",
        R"("2026-13-24T01:02:03Z")", R"("2026-11-24T01:02:03")"})
    EXPECT_THAT(through(bad), HasSubstr("startedAt: want a time like 2006-01-02T15:04:05Z, got"));
  EXPECT_EQ(through("12"), "startedAt: want a time as a string, got a number");
}

TEST(Codec, ATimeThatWasNeverSetIsLeftOutOrNull) {
  // On the wire Go writes such a time as an empty message.
  metav1::ObjectMeta meta;
  meta.mutable_creationtimestamp();
  EXPECT_EQ(Serialize(ToJson(meta)), "{}");
  v1::PodCondition condition;
  EXPECT_EQ(Serialize(ToJson(condition)),
            R"({"type":"","status":"","lastProbeTime":null,"lastTransitionTime":null})");
}

TEST(Codec, MicroTimeHasSixDigits) {
  const auto through = [](std::string_view time) {
    return Through<Lease>(StrCat(R"({"spec":{"renewTime":)", time, "}}"));
  };
  EXPECT_EQ(through(R"("2026-11-24T01:02:03.482942Z")"),
            R"({"metadata":{},"spec":{"renewTime":"2026-11-24T01:02:03.482942Z"}})");
  EXPECT_EQ(through(R"("2026-11-24T01:02:03Z")"),
            R"({"metadata":{},"spec":{"renewTime":"2026-11-24T01:02:03.000000Z"}})");
  EXPECT_EQ(through(R"("1969-12-31T23:59:58.5Z")"),
            R"({"metadata":{},"spec":{"renewTime":"1969-12-31T23:59:58.500000Z"}})");
  EXPECT_EQ(through("null"), R"({"metadata":{},"spec":{}})");
}

TEST(Codec, DurationIsGos) {
  metav1::Duration duration;
  ASSERT_TRUE(duration.ParseFromString(""));
  EXPECT_EQ(Serialize(ToJson(duration)), R"("0s")");
  duration.set_duration(90'500'000'000);
  EXPECT_EQ(Serialize(ToJson(duration)), R"("1m30.5s")");
}

TEST(Codec, QuantityIsReadFromTextAndNumbersIntoCanonicalForm) {
  const auto through = [](std::string_view quantity) {
    return Through<v1::EmptyDirVolumeSource>(StrCat(R"({"sizeLimit":)", quantity, "}"));
  };
  EXPECT_EQ(through(R"("1024Mi")"), R"({"sizeLimit":"1Gi"})");
  EXPECT_EQ(through("0.1"), R"({"sizeLimit":"100m"})");
  EXPECT_EQ(through("1"), R"({"sizeLimit":"1"})");
  EXPECT_EQ(through("0.0000001"), R"({"sizeLimit":"100e-9"})");
  EXPECT_EQ(through("18446744073709551615"), R"({"sizeLimit":"9223372036854775807"})");
  EXPECT_EQ(through("true"), "sizeLimit: want a quantity, got a boolean");
  EXPECT_THAT(through(R"("1 Gi")"), HasSubstr("sizeLimit: quantities must match the regular"));
  EXPECT_THAT(through(R"("")"), HasSubstr("sizeLimit: quantities must match the regular"));
  EXPECT_EQ(through(R"("1kk")"), "sizeLimit: unable to parse quantity's suffix");
}

TEST(Codec, IntOrStringIsEither) {
  const auto through = [](std::string_view port) {
    return Through<v1::TCPSocketAction>(StrCat(R"({"port":)", port, "}"));
  };
  EXPECT_EQ(through("8080"), R"({"port":8080})");
  EXPECT_EQ(through(R"("http")"), R"({"port":"http"})");
  EXPECT_EQ(through(R"("80")"), R"({"port":"80"})");
  EXPECT_EQ(through(R"("")"), R"({"port":""})");
  for (const std::string_view bad : {"2147483648", "-2147483649", "1.5", "{}", "true"})
    EXPECT_THAT(through(bad), HasSubstr("port: want a 32 bit number or a string, got"));
}

TEST(Codec, BytesAreBase64) {
  v1::Secret secret;
  ASSERT_TRUE(Decode(R"({"data":{"a":"AAEC/w==","b":"","c":"aGV\nsbG8="}})", secret).ok());
  EXPECT_EQ(secret.data().at("a"), std::string("\0\1\2\xff", 4));
  EXPECT_EQ(secret.data().at("b"), "");
  EXPECT_EQ(secret.data().at("c"), "hello");
  EXPECT_EQ(Serialize(ToJson(secret)),
            R"({"metadata":{},"data":{"a":"AAEC/w==","b":"","c":"aGVsbG8="}})");
  for (const std::string_view bad : {"AAEC/w=", "AAEC/w", "AA EC", "AA-_", "=AAA", "AA=A", "===="})
    EXPECT_EQ(DecodeError<v1::Secret>(StrCat(R"({"data":{"a":")", bad, R"("}})")),
              "data[a]: is not valid base64")
        << bad;
}

TEST(Codec, RawJsonIsKept) {
  metav1::ManagedFieldsEntry entry;
  ASSERT_TRUE(Decode(R"({"fieldsV1":{"f:metadata":{"f:labels":{".":{}}}}})", entry).ok());
  EXPECT_EQ(entry.fieldsv1().raw(), R"({"f:metadata":{"f:labels":{".":{}}}})");
  EXPECT_EQ(Serialize(ToJson(entry)), R"({"fieldsV1":{"f:metadata":{"f:labels":{".":{}}}}})");
}

TEST(Codec, ExtraValuesAreLists) {
  EXPECT_EQ(
      Through<TokenReview>(R"({"spec":{},"status":{"user":{"extra":{"k":["a","b"],"e":[]}}}})"),
      R"({"metadata":{},"spec":{},"status":{"user":{"extra":{"e":[],"k":["a","b"]}}}})");
  EXPECT_EQ(DecodeError<TokenReview>(R"({"status":{"user":{"extra":{"k":"a"}}}})"),
            "status.user.extra[k]: want a list, got a string");
}

TEST(Codec, MembersOfInlinedMessagesStandInTheParent) {
  v1::Volume volume;
  ASSERT_TRUE(Decode(R"({"name":"v","configMap":{"name":"cm","optional":false}})", volume).ok());
  EXPECT_EQ(volume.volumesource().configmap().localobjectreference().name(), "cm");
  EXPECT_EQ(Serialize(ToJson(volume)),
            R"({"name":"v","configMap":{"name":"cm","optional":false}})");
  EXPECT_EQ(Serialize(ToJson(v1::EphemeralContainer())), R"({"name":"","resources":{}})");
  EXPECT_EQ(DecodeError<v1::Volume>(R"({"name":"v","volumeSource":{}})"),
            R"(unknown field "volumeSource")");
}

TEST(Codec, AbsentEmptyAndZeroDiffer) {
  EXPECT_EQ(Through<v1::SecurityContext>(R"({"runAsUser":0,"privileged":false})"),
            R"({"privileged":false,"runAsUser":0})");
  EXPECT_EQ(Through<v1::SecurityContext>("{}"), "{}");
  // Without a pointer zero is left out.
  EXPECT_EQ(Through<v1::Container>(R"({"name":"c","stdin":false,"image":""})"),
            R"({"name":"c","resources":{}})");
  // An empty message that is there stays.
  EXPECT_EQ(Through<v1::VolumeSource>(R"({"emptyDir":{}})"), R"({"emptyDir":{}})");
  EXPECT_EQ(Through<v1::Container>(R"({"name":"c","livenessProbe":{},"securityContext":{}})"),
            R"({"name":"c","resources":{},"livenessProbe":{},"securityContext":{}})");
  // Pointers that are always written.
  EXPECT_EQ(Through<v1::GRPCAction>(R"({"port":1})"), R"({"port":1,"service":null})");
  EXPECT_EQ(Through<v1::GRPCAction>(R"({"port":1,"service":""})"), R"({"port":1,"service":""})");
  EXPECT_EQ(Through<v1::ScaleIOVolumeSource>("{}"),
            R"({"gateway":"","system":"","secretRef":null})");
  // Lists that are always written.
  EXPECT_EQ(Through<v1::ContainerImage>("{}"), R"({"names":null})");
  EXPECT_EQ(Through<v1::NodeSelector>(R"({"nodeSelectorTerms":[]})"),
            R"({"nodeSelectorTerms":null})");
}

TEST(Codec, NullIsLeftOutAndZeroInListsAndMaps) {
  EXPECT_EQ(Through<v1::PodSpec>(
                R"({"containers":null,"nodeSelector":null,"securityContext":null,
                    "hostNetwork":null,"priority":null})"),
            R"({"containers":null})");
  EXPECT_EQ(Through<v1::Container>(R"({"name":"c","command":[null,"a"],"env":[null]})"),
            R"({"name":"c","command":["","a"],"env":[{"name":""}],"resources":{}})");
  EXPECT_EQ(Through<metav1::ObjectMeta>(R"({"labels":{"a":null}})"), R"({"labels":{"a":""}})");
  EXPECT_EQ(Through<v1::ResourceRequirements>(R"({"limits":{"cpu":null}})"),
            R"({"limits":{"cpu":"0"}})");
  EXPECT_EQ(Through<v1::PodSecurityContext>(R"({"supplementalGroups":[null,5]})"),
            R"({"supplementalGroups":[0,5]})");
}

TEST(Codec, MapKeysAreSortedAndFieldsInTheOrderOfTheSchema) {
  EXPECT_EQ(Through<metav1::ObjectMeta>(R"({"labels":{"b":"2","a":"1","C":"3"},"name":"n"})"),
            R"({"name":"n","labels":{"C":"3","a":"1","b":"2"}})");
  EXPECT_EQ(
      Through<metav1::OwnerReference>(R"({"kind":"K","apiVersion":"v1","name":"n","uid":"u"})"),
      R"({"apiVersion":"v1","kind":"K","name":"n","uid":"u"})");
}

TEST(Codec, UnknownFieldsFailOrAreCollected) {
  const std::string_view text =
      R"({"apiVersion":"v1","kind":"Pod","extra":1,
          "spec":{"containers":[{"name":"c","imagee":"i","resources":{"kind":"x"}}]}})";
  v1::Pod pod;
  EXPECT_EQ(Message(Decode(text, pod)), R"(unknown field "extra")");
  std::vector<std::string> unknown;
  ASSERT_TRUE(FromJson(Json(text), pod, {.unknown = &unknown}).ok());
  EXPECT_THAT(unknown, ElementsAre("extra", "spec.containers[0].imagee",
                                   "spec.containers[0].resources.kind"));
  EXPECT_EQ(pod.spec().containers(0).name(), "c");
  // Names are told apart by case, as Kubernetes does.
  EXPECT_EQ(DecodeError<v1::Pod>(R"({"Spec":{}})"), R"(unknown field "Spec")");
}

TEST(Codec, CollectsAtMostAHundredUnknownFields) {
  json::object many;
  for (int i = 0; i < 1000; ++i) many.emplace(StrCat("field", i), i);
  std::vector<std::string> unknown;
  v1::Pod pod;
  ASSERT_TRUE(FromJson(many, pod, {.unknown = &unknown}).ok());
  EXPECT_EQ(unknown.size(), 100u);
}

TEST(Codec, ItemsOfListsMayNameTheirKind) {
  v1::PodList list;
  ASSERT_TRUE(Decode(R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"},
                         "items":[{"kind":"Pod","apiVersion":"v1","metadata":{"name":"p"}}]})",
                     list)
                  .ok());
  EXPECT_EQ(list.items(0).metadata().name(), "p");
  EXPECT_EQ(DecodeError<v1::PodList>(R"({"items":[{"metadata":{"kind":"Pod"}}]})"),
            R"(unknown field "items[0].metadata.kind")");
}

TEST(Codec, ErrorsNameThePathAndWhatWasThere) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {R"([])", "want an object, got a list"},
      {R"({"spec":[]})", "spec: want an object, got a list"},
      {R"({"spec":{"containers":{}}})", "spec.containers: want a list, got an object"},
      {R"({"spec":{"containers":["x"]}})", "spec.containers[0]: want an object, got a string"},
      {R"({"spec":{"containers":[{},{"image":5}]}})",
       "spec.containers[1].image: want a string, got a number"},
      {R"({"spec":{"hostNetwork":"yes"}})", "spec.hostNetwork: want a boolean, got a string"},
      {R"({"metadata":{"labels":["a"]}})", "metadata.labels: want an object, got a list"},
      {R"({"metadata":{"labels":{"a/b":1}}})", "metadata.labels[a/b]: want a string, got a number"},
      {R"({"spec":{"priority":"1"}})", "spec.priority: want a whole number, got a string"},
  };
  for (const auto& [text, error] : cases) EXPECT_EQ(DecodeError<v1::Pod>(text), error);
}

TEST(Codec, NumbersAreHeldToTheirRange) {
  const auto priority = [](std::string_view number) {
    return DecodeError<v1::PodSpec>(StrCat(R"({"priority":)", number, "}"));
  };
  EXPECT_EQ(priority("2147483647"), "");
  EXPECT_EQ(priority("-2147483648"), "");
  EXPECT_EQ(priority("7.0"), "");
  for (const std::string_view bad : {"2147483648", "-2147483649", "9223372036854775807",
                                     "18446744073709551615", "1e300", "-1e300", "1.5", "1e18"})
    EXPECT_THAT(priority(bad), HasSubstr("priority: want a whole number from -2147483648 to "
                                         "2147483647, got "))
        << bad;
  const auto grace = [](std::string_view number) {
    return DecodeError<v1::PodSpec>(StrCat(R"({"terminationGracePeriodSeconds":)", number, "}"));
  };
  EXPECT_EQ(grace("9223372036854775807"), "");
  EXPECT_EQ(grace("-9223372036854775808"), "");
  EXPECT_THAT(grace("9223372036854775808"), HasSubstr("want a whole number from"));
  EXPECT_THAT(grace("123456789012345678901234567890"), HasSubstr("want a whole number from"));
}

TEST(Codec, DecodingClearsWhatWasThere) {
  v1::Pod pod;
  pod.mutable_metadata()->set_name("old");
  ASSERT_TRUE(Decode(R"({"spec":{}})", pod).ok());
  EXPECT_FALSE(pod.has_metadata());
}

TEST(Codec, TextIsGos) {
  EXPECT_EQ(Serialize(Json(R"({"a":[1,-2,0.1,1e21,1e-7,1.5e300,true,null],"b":{}})")),
            R"({"a":[1,-2,0.1,1e+21,1e-7,1.5e+300,true,null],"b":{}})");
  const json::value text = json::string("<a&b>\"\\\b\f\n\r\t\x01\x7f\xE2\x80\xA8\xC3\xA9");
  EXPECT_EQ(Serialize(text), "\"<a&b>\\\"\\\\\\b\\f\\n\\r\\t\\u0001\x7f\\u2028\xC3\xA9\"");
  EXPECT_THAT(Serialize(text, true), HasSubstr(R"(\u003ca\u0026b\u003e)"));
  // What is not UTF-8 does not make what is not JSON.
  EXPECT_EQ(Serialize(json::string("a\xff"
                                   "b")),
            "\"a\xEF\xBF\xBD"
            "b\"");
}

TEST(Codec, PeeksAtTheKind) {
  EXPECT_EQ(PeekTypeMeta(Json(R"({"apiVersion":"v1","kind":"Pod"})"))->kind, "Pod");
  EXPECT_EQ(PeekTypeMeta(Json("{}"))->api_version, "");
  EXPECT_EQ(Message(PeekTypeMeta(Json("[]")).status()), "want an object, got a list");
  EXPECT_EQ(Message(PeekTypeMeta(Json(R"({"kind":3})")).status()),
            "kind: want a string, got a number");
}

}  // namespace
}  // namespace cubelet::api
