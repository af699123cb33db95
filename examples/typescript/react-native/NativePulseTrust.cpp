// NOT RUN in this repository, as NativePulseTrust.h says.
#include "NativePulseTrust.h"

#include <cmath>
#include <limits>
#include <utility>

namespace facebook::react {

namespace {

/** The library's bytes as JavaScript's: not copied, wiped once JavaScript lets them go. */
class Given : public jsi::MutableBuffer {
 public:
  explicit Given(pulse::Buffer buffer) : buffer_(std::move(buffer)) {}
  size_t size() const override { return buffer_.bytes().length; }
  uint8_t* data() override { return const_cast<uint8_t*>(buffer_.bytes().data); }

 private:
  pulse::Buffer buffer_;
};

/** Runs a job; what the library refuses becomes an Error with its stable number. */
template <typename Job>
auto guarded(jsi::Runtime& rt, Job job) -> decltype(job()) {
  try {
    return job();
  } catch (const pulse::Refusal& refusal) {
    auto error = rt.global().getPropertyAsFunction(rt, "Error").callAsConstructor(rt, refusal.what()).asObject(rt);
    error.setProperty(rt, "code", static_cast<double>(refusal.code));
    error.setProperty(rt, "name", pulse_status_name(refusal.code));
    throw jsi::JSError(rt, std::move(error));
  }
}

jsi::Object give(jsi::Runtime& rt, pulse::Buffer buffer) {
  return jsi::ArrayBuffer(rt, std::make_shared<Given>(std::move(buffer)));
}

/** A whole number from JavaScript, up to what its numbers hold exactly; anything else is no session and no time. */
template <typename Number>
Number whole(double given) {
  constexpr double most = sizeof(Number) < 8 ? static_cast<double>(std::numeric_limits<Number>::max()) : 9007199254740991.0;
  if (!(given >= 0 && given <= most) || std::trunc(given) != given) {
    throw pulse::Refusal(PULSE_ERR_INVALID_ARGUMENT, "a number is out of its range");
  }
  return static_cast<Number>(given);
}

/** Runs a job on the bytes of an ArrayBuffer, which stay JavaScript's. */
template <typename Job>
auto with_bytes(jsi::Runtime& rt, const jsi::Object& object, Job job) {
  return guarded(rt, [&] {
    if (!object.isArrayBuffer(rt)) {
      throw pulse::Refusal(PULSE_ERR_INVALID_ARGUMENT, "an argument is no ArrayBuffer");
    }
    auto array = object.getArrayBuffer(rt);
    return job(pulse::Bytes{array.data(rt), array.size(rt)});
  });
}

}  // namespace

NativePulseTrust::NativePulseTrust(std::shared_ptr<CallInvoker> jsInvoker)
    : NativePulseTrustCxxSpec(std::move(jsInvoker)) {}

std::string NativePulseTrust::parsePairingCode(jsi::Runtime& rt, std::string scanned) {
  return guarded(rt, [&] { return pulse::pairing_code_secret_json(scanned).text(); });
}

std::string NativePulseTrust::qrSvg(jsi::Runtime& rt, std::string text) {
  return guarded(rt, [&] { return pulse::qr_svg(text).text(); });
}

double NativePulseTrust::newPhoneSession(jsi::Runtime& rt, std::string scanned, std::string settings) {
  return guarded(rt, [&] { return sessions_.open_phone(scanned, settings); });
}

void NativePulseTrust::feedSession(jsi::Runtime& rt, double session, double what, double connection, jsi::Object data,
                                   double monotonicMs, double now) {
  with_bytes(rt, data, [&](pulse::Bytes bytes) {
    sessions_.feed(whole<uint32_t>(session), whole<int32_t>(what), whole<uint32_t>(connection), bytes,
                   {whole<int64_t>(monotonicMs), whole<int64_t>(now)});
  });
}

jsi::Object NativePulseTrust::pollSession(jsi::Runtime& rt, double session) {
  return guarded(rt, [&] {
    auto step = sessions_.poll(whole<uint32_t>(session));
    jsi::Object result(rt);
    result.setProperty(rt, "what", static_cast<double>(step.what));
    result.setProperty(rt, "connection", static_cast<double>(step.connection));
    if (step.what == PULSE_DO_SEND) {
      result.setProperty(rt, "message", give(rt, std::move(step.data)));
    } else {
      result.setProperty(rt, "text", jsi::String::createFromUtf8(rt, step.data.text()));
    }
    return result;
  });
}

double NativePulseTrust::sessionDeadline(jsi::Runtime& rt, double session) {
  return guarded(rt, [&] { return static_cast<double>(sessions_.deadline(whole<uint32_t>(session))); });
}

std::string NativePulseTrust::actOnSession(jsi::Runtime& rt, double session, std::string act, double monotonicMs,
                                           double now) {
  return guarded(rt, [&] {
    return sessions_.act(whole<uint32_t>(session), act, {whole<int64_t>(monotonicMs), whole<int64_t>(now)}).text();
  });
}

void NativePulseTrust::closeSession(jsi::Runtime& rt, double session) {
  guarded(rt, [&] { sessions_.close(whole<uint32_t>(session)); });
}

}  // namespace facebook::react
