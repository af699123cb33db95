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

/** Numbers are not used again, so that a closed session is never another one. */
std::uint32_t Sessions::open_phone(std::string_view scanned, std::string_view settings) {
  pulse_session* session = nullptr;
  call(pulse_session_new_phone, scanned.data(), scanned.size(), settings.data(), settings.size(), &session);
  sessions_.emplace(++last_, session);
  return last_;
}

void Sessions::feed(std::uint32_t session, pulse_feed what, std::uint32_t connection, Bytes data, Now now) const {
  call(pulse_session_feed, get(session), what, connection, data.data, data.length, now.monotonic_ms, now.unix_seconds);
}

Step Sessions::poll(std::uint32_t session) const {
  std::uint32_t what = 0;
  std::uint32_t connection = 0;
  Buffer data = buffer(pulse_session_poll, get(session), &what, &connection);
  return {what, connection, std::move(data)};
}

std::int64_t Sessions::deadline(std::uint32_t session) const { return pulse_session_deadline(get(session)); }

Buffer Sessions::act(std::uint32_t session, std::string_view act, Now now) const {
  return buffer(pulse_session_act, get(session), act.data(), act.size(), now.monotonic_ms, now.unix_seconds);
}

void Sessions::close(std::uint32_t session) { sessions_.erase(session); }

pulse_session* Sessions::get(std::uint32_t session) const {
  const auto found = sessions_.find(session);
  if (found == sessions_.end()) {
    throw Refusal(PULSE_ERR_INVALID_ARGUMENT, "this value was closed: make another one");
  }
  return found->second.get();
}

}  // namespace pulse
