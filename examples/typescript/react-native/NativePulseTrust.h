// The TurboModule. NOT RUN in this repository: it needs React Native's headers and what codegen makes of
// NativePulseTrust.ts (here with codegenConfig.name "PulseTrustSpec").
#pragma once

#include <PulseTrustSpecJSI.h>

#include <memory>
#include <string>

#include "PulseTrustCalls.h"

namespace facebook::react {

class NativePulseTrust : public NativePulseTrustCxxSpec<NativePulseTrust> {
 public:
  explicit NativePulseTrust(std::shared_ptr<CallInvoker> jsInvoker);

  std::string parsePairingCode(jsi::Runtime& rt, std::string scanned);
  std::string qrSvg(jsi::Runtime& rt, std::string text);

  double newPhoneSession(jsi::Runtime& rt, std::string scanned, std::string settings);
  void feedSession(jsi::Runtime& rt, double session, double what, double connection, jsi::Object data, double monotonicMs,
                   double now);
  jsi::Object pollSession(jsi::Runtime& rt, double session);
  double sessionDeadline(jsi::Runtime& rt, double session);
  std::string actOnSession(jsi::Runtime& rt, double session, std::string act, double monotonicMs, double now);
  void closeSession(jsi::Runtime& rt, double session);

 private:
  pulse::Sessions sessions_;  // called on the JavaScript thread alone
};

}  // namespace facebook::react
