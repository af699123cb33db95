// The phone's half of pulse_trust.h in C++17, without React Native: this part is compiled and run by check.sh.
#pragma once

#include <pulse_trust.h>

#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

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

/** The two clocks of a call: one that never goes back, and the calendar. */
struct Now {
  std::int64_t monotonic_ms;
  std::int64_t unix_seconds;
};

/** What a session wants done next (PULSE_DO_...), and on which connection. */
struct Step {
  std::uint32_t what;
  std::uint32_t connection;
  Buffer data;
};

Buffer pairing_code_secret_json(std::string_view scanned);
Buffer qr_svg(std::string_view text);

/** The open sessions, by number, since JavaScript can hold no pointer. One thread at a time. */
class Sessions {
 public:
  std::uint32_t open_phone(std::string_view scanned, std::string_view settings);
  void feed(std::uint32_t session, pulse_feed what, std::uint32_t connection, Bytes data, Now now) const;
  Step poll(std::uint32_t session) const;
  std::int64_t deadline(std::uint32_t session) const;
  Buffer act(std::uint32_t session, std::string_view act, Now now) const;
  void close(std::uint32_t session);

 private:
  pulse_session* get(std::uint32_t session) const;

  std::map<std::uint32_t, std::unique_ptr<pulse_session, Freed<pulse_session_free>>> sessions_;
  std::uint32_t last_ = 0;
};

}  // namespace pulse
