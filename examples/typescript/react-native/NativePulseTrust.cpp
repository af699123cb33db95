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

/** A whole number from JavaScript; anything else is no handle, channel or type. */
template <typename Number>
Number whole(double given) {
  if (!(given >= 0 && given <= std::numeric_limits<Number>::max()) || std::trunc(given) != given) {
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

double NativePulseTrust::startHandshake(jsi::Runtime& rt) {
  return guarded(rt, [&] { return handles_.start_handshake(); });
}

jsi::Object NativePulseTrust::handshakeMessage(jsi::Runtime& rt, double handshake) {
  return guarded(rt, [&] { return give(rt, handles_.handshake_message(whole<uint32_t>(handshake))); });
}

double NativePulseTrust::finishHandshake(jsi::Runtime& rt, double handshake, jsi::Object instanceMessage,
                                         std::string identityPublicKey) {
  return with_bytes(rt, instanceMessage, [&](pulse::Bytes message) {
    return handles_.finish_handshake(whole<uint32_t>(handshake), message, identityPublicKey);
  });
}

jsi::Object NativePulseTrust::seal(jsi::Runtime& rt, double channel, jsi::Object plaintext) {
  return with_bytes(rt, plaintext, [&](pulse::Bytes bytes) {
    return give(rt, handles_.seal(whole<uint32_t>(channel), bytes));
  });
}

jsi::Object NativePulseTrust::open(jsi::Runtime& rt, double channel, jsi::Object sealed) {
  return with_bytes(rt, sealed, [&](pulse::Bytes bytes) {
    return give(rt, handles_.open(whole<uint32_t>(channel), bytes));
  });
}

void NativePulseTrust::close(jsi::Runtime& rt, double handle) {
  guarded(rt, [&] { handles_.close(whole<uint32_t>(handle)); });
}

jsi::Object NativePulseTrust::encodeFrame(jsi::Runtime& rt, double type, double channel, jsi::Object payload) {
  return with_bytes(rt, payload, [&](pulse::Bytes bytes) {
    return give(rt, pulse::encode_frame(whole<uint8_t>(type), whole<uint32_t>(channel), bytes));
  });
}

jsi::Array NativePulseTrust::decodeFrame(jsi::Runtime& rt, jsi::Object frame) {
  return with_bytes(rt, frame, [&](pulse::Bytes bytes) {
    const auto head = pulse::decode_frame(bytes);
    return jsi::Array::createWithElements(rt, static_cast<double>(head.type), static_cast<double>(head.channel),
                                          static_cast<double>(head.payload_offset));
  });
}

}  // namespace facebook::react
