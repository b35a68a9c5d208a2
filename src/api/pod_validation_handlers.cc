// Probes and lifecycle hooks.
#include <string>
#include <vector>

#include "api/pod.h"
#include "api/pod_validation.h"

namespace cubelet::api::validation {
namespace {

void ValidatePort(const k8s::io::apimachinery::pkg::util::intstr::IntOrString& port,
                  const FieldPath& path, FieldErrors& errors) {
  if (port.type() == 1) {
    errors.InvalidFor(path, port.strval(), PortNameFaults(port.strval()));
  } else {
    errors.InvalidFor(path, port.intval(), PortNumberFaults(port.intval()));
  }
}

void ValidateHttpGet(const v1::HTTPGetAction& http, const FieldPath& path, FieldErrors& errors) {
  if (http.path().empty()) errors.Required(path.Child("path"));
  ValidatePort(http.port(), path.Child("port"), errors);
  if (http.scheme() != "HTTP" && http.scheme() != "HTTPS")
    errors.NotSupported(path.Child("scheme"), http.scheme(), {"HTTP", "HTTPS"});
  for (const v1::HTTPHeader& header : http.httpheaders())
    errors.InvalidFor(path.Child("httpHeaders"), header.name(),
                      HttpHeaderNameFaults(header.name()));
}

// Counts the handlers of a probe or hook: the first is checked, further ones are too many.
class Handlers {
 public:
  Handlers(const FieldPath& path, FieldErrors& errors) : path_(path), errors_(errors) {}

  // Whether this one is to be checked.
  bool Take(bool present, std::string_view name) {
    if (!present) return false;
    if (!taken_) return taken_ = true;
    errors_.Forbidden(path_.Child(name), "may not specify more than 1 handler type");
    return false;
  }

  void End() {
    if (!taken_) errors_.Required(path_, "must specify a handler type");
  }

 private:
  const FieldPath& path_;
  FieldErrors& errors_;
  bool taken_ = false;
};

// What probes and hooks have in common: exec, httpGet, tcpSocket.
template <typename Handler>
void ValidateCommon(const Handler& handler, Handlers& handlers, const FieldPath& path,
                    FieldErrors& errors) {
  if (handlers.Take(handler.has_exec(), "exec") && handler.exec().command().empty())
    errors.Required(path.Child("exec").Child("command"));
  if (handlers.Take(handler.has_httpget(), "httpGet"))
    ValidateHttpGet(handler.httpget(), path.Child("httpGet"), errors);
  if (handlers.Take(handler.has_tcpsocket(), "tcpSocket"))
    ValidatePort(handler.tcpsocket().port(), path.Child("tcpSocket").Child("port"), errors);
}

void ValidateNotNegative(int64_t value, const FieldPath& path, FieldErrors& errors) {
  if (value < 0) errors.Invalid(path, value, "must be greater than or equal to 0");
}

void ValidateProbe(const v1::Probe& probe, const FieldPath& path, FieldErrors& errors) {
  Handlers handlers(path, errors);
  ValidateCommon(probe.handler(), handlers, path, errors);
  if (handlers.Take(probe.handler().has_grpc(), "grpc"))
    errors.InvalidFor(path.Child("grpc").Child("port"), probe.handler().grpc().port(),
                      PortNumberFaults(probe.handler().grpc().port()));
  handlers.End();
  ValidateNotNegative(probe.initialdelayseconds(), path.Child("initialDelaySeconds"), errors);
  ValidateNotNegative(probe.timeoutseconds(), path.Child("timeoutSeconds"), errors);
  ValidateNotNegative(probe.periodseconds(), path.Child("periodSeconds"), errors);
  ValidateNotNegative(probe.successthreshold(), path.Child("successThreshold"), errors);
  ValidateNotNegative(probe.failurethreshold(), path.Child("failureThreshold"), errors);
  if (probe.has_terminationgraceperiodseconds() && probe.terminationgraceperiodseconds() <= 0)
    errors.Invalid(path.Child("terminationGracePeriodSeconds"),
                   probe.terminationgraceperiodseconds(), "must be greater than 0");
}

// Liveness and startup: one success is enough.
void ValidateKillingProbe(const v1::Probe& probe, const FieldPath& path, FieldErrors& errors) {
  ValidateProbe(probe, path, errors);
  if (probe.successthreshold() != 1)
    errors.Invalid(path.Child("successThreshold"), probe.successthreshold(), "must be 1");
}

void ValidateReadinessProbe(const v1::Probe& probe, const FieldPath& path, FieldErrors& errors) {
  ValidateProbe(probe, path, errors);
  if (probe.has_terminationgraceperiodseconds())
    errors.Invalid(path.Child("terminationGracePeriodSeconds"),
                   probe.terminationgraceperiodseconds(), "must not be set for readinessProbes");
}

void ValidateHook(const PodFacts& facts, const v1::LifecycleHandler& hook, const FieldPath& path,
                  FieldErrors& errors) {
  Handlers handlers(path, errors);
  ValidateCommon(hook, handlers, path, errors);
  if (handlers.Take(hook.has_sleep(), "sleep") &&
      facts.pod.spec().has_terminationgraceperiodseconds()) {
    const int64_t seconds = hook.sleep().seconds();
    const int64_t grace = facts.pod.spec().terminationgraceperiodseconds();
    if (seconds < 0 || seconds > grace)
      errors.Invalid(
          path.Child("sleep"), seconds,
          StrCat("must be non-negative and less than terminationGracePeriodSeconds (", grace, ")"));
  }
  handlers.End();
}

}  // namespace

void ValidateProbesAndHooks(const PodFacts& facts, const v1::Container& container,
                            const FieldPath& path, FieldErrors& errors) {
  const FieldPath lifecycle = path.Child("lifecycle");
  if (container.lifecycle().has_poststart())
    ValidateHook(facts, container.lifecycle().poststart(), lifecycle.Child("postStart"), errors);
  if (container.lifecycle().has_prestop())
    ValidateHook(facts, container.lifecycle().prestop(), lifecycle.Child("preStop"), errors);
  if (container.has_livenessprobe())
    ValidateKillingProbe(container.livenessprobe(), path.Child("livenessProbe"), errors);
  if (container.has_readinessprobe())
    ValidateReadinessProbe(container.readinessprobe(), path.Child("readinessProbe"), errors);
  if (container.has_startupprobe())
    ValidateKillingProbe(container.startupprobe(), path.Child("startupProbe"), errors);
}

}  // namespace cubelet::api::validation
