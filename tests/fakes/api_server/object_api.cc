#include "fakes/api_server/object_api.h"

#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "api/codec.h"
#include "api/yaml.h"
#include "base/status.h"
#include "base/strings.h"
#include "fakes/api_server/patch_apply.h"
#include "fakes/api_server/pod_admission.h"
#include "k8s.io/api/core/v1/cluster.pb.h"

namespace cubelet::fakes {
namespace {

namespace json = boost::json;

ApiAnswer ObjectAnswer(int code, const Kind& kind, const ApiRequest& request,
                       const Message& object) {
  const Media media = MediaOf(request.accept);
  ApiAnswer answer;
  answer.code = code;
  answer.content_type = ContentType(media);
  answer.body = Encode(media, kind, object);
  return answer;
}

ApiAnswer StatusAnswer(const ApiRequest& request, const metav1::Status& status) {
  const Media media = MediaOf(request.accept);
  ApiAnswer answer;
  answer.code = status.code() == 0 ? 200 : status.code();
  answer.content_type = ContentType(media);
  answer.body = EncodeStatus(media, status);
  return answer;
}

metav1::Status Success(const Kind& kind, const Message& object) {
  metav1::Status status;
  status.mutable_metadata();
  status.set_status("Success");
  status.mutable_details()->set_name(MetaOf(object).name());
  status.mutable_details()->set_group(std::string(kind.group));
  status.mutable_details()->set_kind(std::string(kind.resource));
  status.mutable_details()->set_uid(MetaOf(object).uid());
  return status;
}

bool Strict(const ApiRequest& request) { return request.Parameter("fieldValidation") == "Strict"; }

bool DryRun(const ApiRequest& request) { return !request.Parameter("dryRun").empty(); }

// From the body and, where they say more, the parameters.
absl::StatusOr<DeleteRequest> ReadDeleteRequest(const ApiRequest& request) {
  metav1::DeleteOptions options;
  if (!request.body.empty())
    RETURN_IF_ERROR(Decode(request.content_type, request.body, false, options));
  DeleteRequest wanted;
  if (options.has_graceperiodseconds()) wanted.grace_period_seconds = options.graceperiodseconds();
  int64_t seconds = 0;
  if (absl::SimpleAtoi(request.Parameter("gracePeriodSeconds"), &seconds))
    wanted.grace_period_seconds = seconds;
  wanted.uid = options.preconditions().uid();
  wanted.resource_version = options.preconditions().resourceversion();
  return wanted;
}

// Where a list goes on: the version it was begun at and the last key given out.
std::string ContinueToken(uint64_t version, const Message& last) {
  return StrCat(version, ":", MetaOf(last).namespace_(), "/", MetaOf(last).name());
}

absl::StatusOr<std::string> KeyAfter(const std::string& token, const std::string& error) {
  const size_t colon = token.find(':');
  if (colon == std::string::npos) return absl::InvalidArgumentError(error);
  return token.substr(colon + 1);
}

std::string KeyOf(const Message& object) {
  return StrCat(MetaOf(object).namespace_(), "/", MetaOf(object).name());
}

}  // namespace

absl::StatusOr<Route> ParseRoute(std::string_view path) {
  std::vector<std::string> parts;
  for (const absl::string_view part : absl::StrSplit(ToAbsl(path), '/', absl::SkipEmpty()))
    parts.push_back(DecodeUrl(ToStd(part)));
  const absl::Status unknown =
      absl::NotFoundError("the server could not find the requested resource");
  const bool core = !parts.empty() && parts[0] == "api";
  const size_t head = core ? 2 : 3;
  if (parts.size() <= head || (!core && parts[0] != "apis")) return unknown;
  const std::string group = core ? "" : parts[1];
  const std::string version = parts[head - 1];
  Route route;
  size_t next = head;
  // A namespace's own path goes on with nothing, or a subresource that no resource is named like.
  if (parts[next] == "namespaces" && parts.size() > next + 2 && parts[next + 2] != "status") {
    route.name_space = parts[next + 1];
    next += 2;
  }
  route.kind = FindKind(group, version, parts[next++]);
  if (route.kind == nullptr) return unknown;
  if (next < parts.size()) route.name = parts[next++];
  if (next < parts.size()) route.subresource = parts[next++];
  if (next < parts.size() || (!route.subresource.empty() && !route.kind->Has(route.subresource)))
    return unknown;
  return route;
}

ObjectApi::ObjectApi(async::Loop& loop, ObjectStore& store) : loop_(loop), store_(store) {
  subscription_ = store_.Subscribe([this](const Change& change) {
    for (const std::shared_ptr<WatchStream>& watch : LiveWatches()) watch->SendChange(change);
  });
}

std::vector<std::shared_ptr<WatchStream>> ObjectApi::LiveWatches() {
  std::vector<std::shared_ptr<WatchStream>> live;
  for (auto weak = watches_.begin(); weak != watches_.end();) {
    std::shared_ptr<WatchStream> watch = weak->lock();
    if (watch == nullptr || watch->ended()) {
      weak = watches_.erase(weak);
    } else {
      live.push_back(std::move(watch));
      ++weak;
    }
  }
  return live;
}

void ObjectApi::EndWatches(std::string_view resource) {
  for (const std::shared_ptr<WatchStream>& watch : LiveWatches()) {
    if (resource.empty() || watch->options().kind->resource == resource) watch->End();
  }
}

void ObjectApi::ExpireWatches(std::string_view resource) {
  for (const std::shared_ptr<WatchStream>& watch : LiveWatches()) {
    if (resource.empty() || watch->options().kind->resource == resource)
      watch->SendError(absl::OutOfRangeError("too old resource version"));
  }
}

void ObjectApi::SendBookmarks() {
  for (const std::shared_ptr<WatchStream>& watch : LiveWatches())
    watch->SendBookmark(store_.version());
}

absl::StatusOr<ApiAnswer> ObjectApi::Handle(const Route& route, const ApiRequest& request,
                                            bool stale) {
  const bool one = !route.name.empty();
  if (request.method == "GET" && one) return Get(route, request, stale);
  if (request.IsWatch()) return Watch(route, request);
  if (request.method == "GET") return List(route, request, stale);
  if (request.method == "POST") return Post(route, request);
  if (request.method == "PUT" && one) return Put(route, request);
  if (request.method == "PATCH" && one) return Patch(route, request);
  if (request.method == "DELETE")
    return one ? DeleteOne(route, request) : DeleteAll(route, request);
  return absl::UnimplementedError(
      "the server does not allow this method on the requested resource");
}

absl::StatusOr<ApiAnswer> ObjectApi::Get(const Route& route, const ApiRequest& request,
                                         bool stale) {
  ASSIGN_OR_RETURN(const ObjectPtr object,
                   store_.Get(*route.kind, route.name_space, route.name, stale));
  return ObjectAnswer(200, *route.kind, request, *object);
}

absl::StatusOr<ApiAnswer> ObjectApi::List(const Route& route, const ApiRequest& request,
                                          bool stale) {
  ASSIGN_OR_RETURN(const Selection selection, Selection::Parse(request.Parameter("labelSelector"),
                                                               request.Parameter("fieldSelector")));
  std::string after;
  if (const std::string token = request.Parameter("continue"); !token.empty()) {
    ASSIGN_OR_RETURN(after, KeyAfter(token, "continue key is not valid"));
  }
  size_t limit = 0;
  const bool limited = absl::SimpleAtoi(request.Parameter("limit"), &limit) && limit > 0;
  metav1::ListMeta meta;
  meta.set_resourceversion(std::to_string(store_.VersionOfReads(stale)));
  std::vector<ObjectPtr> items;
  int64_t remaining = 0;
  for (ObjectPtr& object : store_.List(*route.kind, route.name_space, stale)) {
    if (!selection.Matches(*object) || (!after.empty() && KeyOf(*object) <= after)) continue;
    if (limited && items.size() == limit) {
      ++remaining;
    } else {
      items.push_back(std::move(object));
    }
  }
  if (remaining > 0) {
    meta.set_continue_(ContinueToken(store_.VersionOfReads(stale), *items.back()));
    meta.set_remainingitemcount(remaining);
  }
  const Media media = MediaOf(request.accept);
  ApiAnswer answer;
  answer.content_type = ContentType(media);
  answer.body = EncodeList(media, *route.kind, meta, items);
  return answer;
}

absl::StatusOr<ApiAnswer> ObjectApi::Watch(const Route& route, const ApiRequest& request) {
  WatchOptions options;
  options.kind = route.kind;
  options.name_space = route.name_space;
  options.media = MediaOf(request.accept);
  options.bookmarks = request.IsTrue("allowWatchBookmarks");
  ASSIGN_OR_RETURN(options.selection, Selection::Parse(request.Parameter("labelSelector"),
                                                       request.Parameter("fieldSelector")));
  ApiAnswer answer;
  answer.content_type = WatchContentType(options.media);
  const auto watch = std::make_shared<WatchStream>(loop_, std::move(options));
  // A version that is gone is told within the stream, as the watch cache does.
  if (const absl::Status begun = BeginWatch(route, request, *watch); !begun.ok())
    watch->SendError(begun);
  int64_t timeout = 0;
  if (absl::SimpleAtoi(request.Parameter("timeoutSeconds"), &timeout) && timeout > 0)
    watch->EndAfter(absl::Seconds(timeout));
  watches_.push_back(watch);
  answer.stream = watch;
  return answer;
}

absl::Status ObjectApi::BeginWatch(const Route& route, const ApiRequest& request,
                                   WatchStream& stream) {
  const std::string from = request.Parameter("resourceVersion");
  const bool initial_events = request.IsTrue("sendInitialEvents");
  uint64_t version = 0;
  if (!from.empty() && !absl::SimpleAtoi(from, &version))
    return absl::InvalidArgumentError(StrCat("Invalid value: ", GoQuote(from)));
  if (version == 0 || initial_events) {
    for (const ObjectPtr& object : store_.List(*route.kind, route.name_space))
      stream.SendInitial(*object);
    if (initial_events) stream.SendBookmark(store_.version(), true);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::vector<Change> changes, store_.ChangesAfter(*route.kind, version));
  for (const Change& change : changes) stream.SendChange(change);
  return absl::OkStatus();
}

absl::Status ObjectApi::Admit(const std::string& name_space, v1::Pod& pod) {
  static const Kind* const accounts = FindKind("", "v1", "serviceaccounts");
  AdmitPod(store_.NewNameSuffix(), pod);
  const std::string& account = pod.spec().serviceaccountname();
  if (account.empty() || store_.Get(*accounts, name_space, account).ok()) return absl::OkStatus();
  return absl::PermissionDeniedError(StrCat(
      "pods ", GoQuote(pod.metadata().name()), " is forbidden: error looking up service account ",
      name_space, "/", account, ": serviceaccount ", GoQuote(account), " not found"));
}

absl::StatusOr<ObjectPtr> ObjectApi::Create(const Kind& kind, const std::string& name_space,
                                            NewObject object) {
  if (kind.namespaced) {
    static const Kind* const namespaces = FindKind("", "v1", "namespaces");
    RETURN_IF_ERROR(store_.Get(*namespaces, "", name_space).status());
  }
  if (auto* pod = dynamic_cast<v1::Pod*>(object.get())) RETURN_IF_ERROR(Admit(name_space, *pod));
  RETURN_IF_ERROR(PrepareCreation(kind, name_space, *object));
  return store_.Create(kind, std::move(object));
}

absl::StatusOr<ObjectPtr> ObjectApi::Update(const Route& route, NewObject object) {
  ASSIGN_OR_RETURN(const ObjectPtr stored, store_.Get(*route.kind, route.name_space, route.name));
  if (MetaOf(*object).name() != route.name)
    return absl::InvalidArgumentError(StrCat("the name of the object (", MetaOf(*object).name(),
                                             ") does not match the name on the URL (", route.name,
                                             ")"));
  RETURN_IF_ERROR(PrepareUpdate(*route.kind, route.subresource, *stored, *object));
  ASSIGN_OR_RETURN(const ObjectPtr updated, store_.Replace(*route.kind, std::move(object)));
  if (!GoesNow(*updated)) return updated;
  return store_.Remove(*route.kind, route.name_space, route.name);
}

absl::StatusOr<ObjectPtr> ObjectApi::Delete(const Route& route, const DeleteRequest& request) {
  ASSIGN_OR_RETURN(const ObjectPtr stored, store_.Get(*route.kind, route.name_space, route.name));
  RETURN_IF_ERROR(CheckPreconditions(request, *route.kind, *stored));
  if (route.kind->resource == "namespaces") DeleteContents(route.name);
  NewObject object = CopyOf(*stored);
  if (GoesAtOnce(request, loop_.Now(), *object))
    return store_.Remove(*route.kind, route.name_space, route.name);
  return store_.Replace(*route.kind, std::move(object));
}

void ObjectApi::DeleteContents(const std::string& name_space) {
  for (const Kind& kind : AllKinds()) {
    if (!kind.namespaced) continue;
    for (const ObjectPtr& object : store_.List(kind, name_space))
      store_.Remove(kind, name_space, MetaOf(*object).name()).IgnoreError();
  }
}

absl::StatusOr<ObjectPtr> ObjectApi::Bind(const std::string& name_space, const std::string& name,
                                          const std::string& node) {
  static const Kind* const pods_kind = FindKind("", "v1", "pods");
  ASSIGN_OR_RETURN(const ObjectPtr stored, store_.Get(*pods_kind, name_space, name));
  auto pod = std::make_unique<v1::Pod>(dynamic_cast<const v1::Pod&>(*stored));
  if (!pod->spec().nodename().empty())
    return absl::AbortedError(StrCat("Operation cannot be fulfilled on pods/binding ",
                                     GoQuote(name), ": pod ", name, " is already assigned to node ",
                                     GoQuote(pod->spec().nodename())));
  pod->mutable_spec()->set_nodename(node);
  v1::PodCondition& scheduled = *pod->mutable_status()->add_conditions();
  scheduled.set_type("PodScheduled");
  scheduled.set_status("True");
  scheduled.mutable_lasttransitiontime()->set_seconds(absl::ToUnixSeconds(loop_.Now()));
  return store_.Replace(*pods_kind, std::move(pod));
}

absl::StatusOr<ApiAnswer> ObjectApi::Post(const Route& route, const ApiRequest& request) {
  if (route.kind->resource == "pods" && !route.subresource.empty())
    return PostToPod(route, request);
  if (!route.name.empty())
    return absl::UnimplementedError(
        "the server does not allow this method on the requested resource");
  NewObject object = NewOf(route.kind->descriptor);
  RETURN_IF_ERROR(Decode(request.content_type, request.body, Strict(request), *object));
  if (DryRun(request)) {
    RETURN_IF_ERROR(PrepareCreation(*route.kind, route.name_space, *object));
    return ObjectAnswer(201, *route.kind, request, *object);
  }
  ASSIGN_OR_RETURN(const ObjectPtr created,
                   Create(*route.kind, route.name_space, std::move(object)));
  return ObjectAnswer(201, *route.kind, request, *created);
}

absl::StatusOr<ApiAnswer> ObjectApi::PostToPod(const Route& route, const ApiRequest& request) {
  metav1::Status success;
  success.mutable_metadata();
  success.set_status("Success");
  success.set_code(201);
  if (route.subresource == "binding") {
    v1::Binding binding;
    RETURN_IF_ERROR(Decode(request.content_type, request.body, false, binding));
    RETURN_IF_ERROR(Bind(route.name_space, route.name, binding.target().name()).status());
    return StatusAnswer(request, success);
  }
  if (route.subresource == "eviction") {
    // An eviction is a deletion: there are no disruption budgets here.
    ASSIGN_OR_RETURN(const json::value eviction, api::ParseJson(request.body));
    metav1::DeleteOptions options;
    const json::value* sent =
        eviction.is_object() ? eviction.get_object().if_contains("deleteOptions") : nullptr;
    if (sent != nullptr && sent->is_object()) RETURN_IF_ERROR(api::FromJson(*sent, options));
    DeleteRequest wanted;
    if (options.has_graceperiodseconds())
      wanted.grace_period_seconds = options.graceperiodseconds();
    RETURN_IF_ERROR(Delete(route, wanted).status());
    return StatusAnswer(request, success);
  }
  return absl::UnimplementedError(
      "the server does not allow this method on the requested resource");
}

absl::StatusOr<ApiAnswer> ObjectApi::Put(const Route& route, const ApiRequest& request) {
  NewObject object = NewOf(route.kind->descriptor);
  RETURN_IF_ERROR(Decode(request.content_type, request.body, Strict(request), *object));
  ASSIGN_OR_RETURN(const ObjectPtr updated, Update(route, std::move(object)));
  return ObjectAnswer(200, *route.kind, request, *updated);
}

absl::StatusOr<NewObject> ObjectApi::Patched(const Route& route, const ApiRequest& request,
                                             const Message& stored) {
  ASSIGN_OR_RETURN(const json::value patch, api::ParseJson(request.body));
  json::value original = api::ToJson(stored);
  const std::string& type = request.content_type;
  if (type.starts_with("application/strategic-merge-patch+json") && patch.is_object()) {
    ASSIGN_OR_RETURN(original,
                     ApplyStrategicMergePatch(std::move(original.get_object()), patch.get_object(),
                                              route.kind->descriptor));
  } else if (type.starts_with("application/merge-patch+json") && patch.is_object()) {
    original = ApplyMergePatch(std::move(original), patch);
  } else if (type.starts_with("application/json-patch+json") && patch.is_array()) {
    ASSIGN_OR_RETURN(original, ApplyJsonPatch(std::move(original), patch.get_array()));
  } else {
    return absl::InvalidArgumentError(
        StrCat("a patch of the type ", GoQuote(type), " with such a body is not supported"));
  }
  NewObject object = NewOf(route.kind->descriptor);
  RETURN_IF_ERROR(api::FromJson(original, *object, {.strict = Strict(request)}));
  return object;
}

absl::StatusOr<ApiAnswer> ObjectApi::Patch(const Route& route, const ApiRequest& request) {
  ASSIGN_OR_RETURN(const ObjectPtr stored, store_.Get(*route.kind, route.name_space, route.name));
  ASSIGN_OR_RETURN(NewObject object, Patched(route, request, *stored));
  if (DryRun(request)) return ObjectAnswer(200, *route.kind, request, *object);
  ASSIGN_OR_RETURN(const ObjectPtr updated, Update(route, std::move(object)));
  return ObjectAnswer(200, *route.kind, request, *updated);
}

absl::StatusOr<ApiAnswer> ObjectApi::DeleteOne(const Route& route, const ApiRequest& request) {
  ASSIGN_OR_RETURN(const DeleteRequest wanted, ReadDeleteRequest(request));
  ASSIGN_OR_RETURN(const ObjectPtr deleted, Delete(route, wanted));
  // Pods are answered with the pod, whether it goes at once or not; so is what lives on for a
  // while.
  if (route.kind->resource == "pods" || !MetaOf(*deleted).finalizers().empty())
    return ObjectAnswer(200, *route.kind, request, *deleted);
  return StatusAnswer(request, Success(*route.kind, *deleted));
}

absl::StatusOr<ApiAnswer> ObjectApi::DeleteAll(const Route& route, const ApiRequest& request) {
  ASSIGN_OR_RETURN(const DeleteRequest wanted, ReadDeleteRequest(request));
  ASSIGN_OR_RETURN(const Selection selection, Selection::Parse(request.Parameter("labelSelector"),
                                                               request.Parameter("fieldSelector")));
  std::vector<ObjectPtr> deleted;
  for (const ObjectPtr& object : store_.List(*route.kind, route.name_space)) {
    if (!selection.Matches(*object)) continue;
    Route one = route;
    one.name_space = MetaOf(*object).namespace_();
    one.name = MetaOf(*object).name();
    RETURN_IF_ERROR(Delete(one, wanted).status());
    deleted.push_back(object);
  }
  metav1::ListMeta meta;
  meta.set_resourceversion(std::to_string(store_.version()));
  const Media media = MediaOf(request.accept);
  ApiAnswer answer;
  answer.content_type = ContentType(media);
  answer.body = EncodeList(media, *route.kind, meta, deleted);
  return answer;
}

}  // namespace cubelet::fakes
