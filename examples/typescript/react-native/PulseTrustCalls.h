// The phone's half of pulse_trust.h in C++17, without React Native: this part is compiled and run by check.sh.
#pragma once

#include <pulse_trust.h>

#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

namespace pulse {

/** Why the library refused something, with its stable number. It holds no secret. */
class Refusal : public std::runtime_error {
 public:
  Refusal(pulse_status code, const std::string& message) : std::runtime_error(message), code(code) {}
  const pulse_status code;
};

/** Bytes that somebody else holds. */
struct Bytes {
  const std::uint8_t* data;
  std::size_t length;
};

/** Frees a handle with the function that the header has for it. */
template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* handle) const {
    Free(handle);
  }
};

/** Bytes that the library gave; wiped when they go. */
class Buffer {
 public:
  explicit Buffer(pulse_buffer* buffer) : buffer_(buffer) {}
  Bytes bytes() const { return {pulse_buffer_data(buffer_.get()), pulse_buffer_len(buffer_.get())}; }
  std::string text() const { return {pulse_buffer_text(buffer_.get()), pulse_buffer_len(buffer_.get())}; }

 private:
  std::unique_ptr<pulse_buffer, Freed<pulse_buffer_free>> buffer_;
};

/** The start of a frame. */
struct FrameHead {
  std::uint8_t type;
  std::uint32_t channel;
  std::size_t payload_offset;
};

Buffer pairing_code_secret_json(std::string_view scanned);
Buffer qr_svg(std::string_view text);
Buffer encode_frame(std::uint8_t type, std::uint32_t channel, Bytes payload);
FrameHead decode_frame(Bytes frame);

/** The open handshakes and channels, by number, since JavaScript can hold no pointer. One thread at a time. */
class Handles {
 public:
  std::uint32_t start_handshake();
  Buffer handshake_message(std::uint32_t handshake) const;
  std::uint32_t finish_handshake(std::uint32_t handshake, Bytes instance_message, std::string_view identity_public_key);
  Buffer seal(std::uint32_t channel, Bytes plaintext) const;
  Buffer open(std::uint32_t channel, Bytes sealed) const;
  void close(std::uint32_t handle);

 private:
  using Handshake = std::unique_ptr<pulse_handshake, Freed<pulse_handshake_free>>;
  using Channel = std::unique_ptr<pulse_channel, Freed<pulse_channel_free>>;

  std::uint32_t keep(std::variant<Handshake, Channel> handle);
  template <typename T>
  auto get(std::uint32_t handle) const -> decltype(std::declval<const T&>().get());

  std::map<std::uint32_t, std::variant<Handshake, Channel>> handles_;
  std::uint32_t last_ = 0;
};

}  // namespace pulse
