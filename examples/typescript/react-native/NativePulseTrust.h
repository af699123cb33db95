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

  double startHandshake(jsi::Runtime& rt);
  jsi::Object handshakeMessage(jsi::Runtime& rt, double handshake);
  double finishHandshake(jsi::Runtime& rt, double handshake, jsi::Object instanceMessage, std::string identityPublicKey);

  jsi::Object seal(jsi::Runtime& rt, double channel, jsi::Object plaintext);
  jsi::Object open(jsi::Runtime& rt, double channel, jsi::Object sealed);
  void close(jsi::Runtime& rt, double handle);

  jsi::Object encodeFrame(jsi::Runtime& rt, double type, double channel, jsi::Object payload);
  jsi::Array decodeFrame(jsi::Runtime& rt, jsi::Object frame);

 private:
  pulse::Handles handles_;  // called on the JavaScript thread alone
};

}  // namespace facebook::react
