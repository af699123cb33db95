#include "PulseTrustCalls.h"

#include <utility>

namespace pulse {

namespace {

/** Calls a function with an error as its last argument, and throws what it refuses. */
template <typename Function, typename... Arguments>
void call(Function function, Arguments... arguments) {
  pulse_error* raw = nullptr;
  const pulse_status status = function(arguments..., &raw);
  const std::unique_ptr<pulse_error, Freed<pulse_error_free>> error(raw);
  if (status != PULSE_OK) {
    const char* message = pulse_error_message(error.get());
    throw Refusal(status, message == nullptr ? "" : message);
  }
}

/** The buffer that a function gives as its only output. */
template <typename Function, typename... Arguments>
Buffer buffer(Function function, Arguments... arguments) {
  pulse_buffer* out = nullptr;
  call(function, arguments..., &out);
  return Buffer(out);
}

}  // namespace

Buffer pairing_code_secret_json(std::string_view scanned) {
  pulse_pairing_code* raw = nullptr;
  call(pulse_pairing_code_parse, scanned.data(), scanned.size(), &raw);
  const std::unique_ptr<pulse_pairing_code, Freed<pulse_pairing_code_free>> code(raw);
  return buffer(pulse_pairing_code_secret_json, code.get());
}

Buffer qr_svg(std::string_view text) { return buffer(pulse_qr_svg, text.data(), text.size()); }

Buffer encode_frame(std::uint8_t type, std::uint32_t channel, Bytes payload) {
  return buffer(pulse_frame_encode, type, channel, payload.data, payload.length);
}

FrameHead decode_frame(Bytes frame) {
  FrameHead head{};
  call(pulse_frame_decode, frame.data, frame.length, &head.type, &head.channel, &head.payload_offset);
  return head;
}

std::uint32_t Handles::start_handshake() {
  pulse_handshake* handshake = nullptr;
  call(pulse_handshake_start, &handshake);
  return keep(Handshake(handshake));
}

Buffer Handles::handshake_message(std::uint32_t handshake) const {
  return buffer(pulse_handshake_message, get<Handshake>(handshake));
}

std::uint32_t Handles::finish_handshake(std::uint32_t handshake, Bytes instance_message,
                                        std::string_view identity_public_key) {
  pulse_channel* channel = nullptr;
  call(pulse_handshake_finish, get<Handshake>(handshake), instance_message.data, instance_message.length,
       identity_public_key.data(), identity_public_key.size(), &channel);
  return keep(Channel(channel));
}

Buffer Handles::seal(std::uint32_t channel, Bytes plaintext) const {
  return buffer(pulse_channel_seal, get<Channel>(channel), plaintext.data, plaintext.length);
}

Buffer Handles::open(std::uint32_t channel, Bytes sealed) const {
  return buffer(pulse_channel_open, get<Channel>(channel), sealed.data, sealed.length);
}

void Handles::close(std::uint32_t handle) { handles_.erase(handle); }

/** Numbers are not used again, so that a closed handle is never another's. */
std::uint32_t Handles::keep(std::variant<Handshake, Channel> handle) {
  handles_.emplace(++last_, std::move(handle));
  return last_;
}

template <typename T>
auto Handles::get(std::uint32_t handle) const -> decltype(std::declval<const T&>().get()) {
  const auto found = handles_.find(handle);
  const T* held = found == handles_.end() ? nullptr : std::get_if<T>(&found->second);
  if (held == nullptr) {
    throw Refusal(PULSE_ERR_INVALID_ARGUMENT, "it was closed before");
  }
  return held->get();
}

}  // namespace pulse
