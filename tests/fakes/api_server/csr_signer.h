// What a controller manager does with certificate signing requests of kubelets: it approves them,
// if it is told to, and signs what is approved.
#pragma once

#include "absl/time/time.h"
#include "fakes/api_server/authority.h"
#include "fakes/api_server/object_api.h"

namespace cubelet::fakes {

class CsrSigner {
 public:
  CsrSigner(async::Loop& loop, const Authority& authority, ObjectApi& objects)
      : loop_(loop), authority_(authority), objects_(objects) {}

  // Nothing is approved (but still signed once somebody approves it) when off.
  void SetAutoApprove(bool on) { auto_approve_ = on; }
  // Of certificates whose request does not ask for less.
  void SetLifetime(absl::Duration lifetime) { lifetime_ = lifetime; }

  // Who asks stands in the request's spec.
  static void SetRequester(const User& user, Message& request);

  // Approves and signs as far as it may; `name` is that of the request. What cannot be signed is
  // left as it is, with a condition Failed.
  absl::Status Process(const std::string& name);

 private:
  async::Loop& loop_;
  const Authority& authority_;
  ObjectApi& objects_;
  bool auto_approve_ = true;
  absl::Duration lifetime_ = absl::Hours(24 * 365);
};

}  // namespace cubelet::fakes
