// Runs PulseTrustCalls against the library: a key exchange, messages, and what is refused. check.sh builds it.
#include "PulseTrustCalls.h"

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

void expect(bool holds, const char* what) {
  if (!holds) {
    std::fprintf(stderr, "not so: %s\n", what);
    std::exit(1);
  }
}

template <typename Job>
void expect_refusal(pulse_status code, Job job, const char* what) {
  try {
    job();
  } catch (const pulse::Refusal& refusal) {
    expect(refusal.code == code && refusal.what()[0] != '\0', what);
    return;
  }
  expect(false, what);
}

pulse::Bytes bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/** What the test sends as the relay. */
pulse::Buffer frame(std::uint8_t type, std::uint32_t channel, pulse::Bytes payload) {
  pulse_buffer* out = nullptr;
  expect(pulse_frame_encode(type, channel, payload.data, payload.length, &out, nullptr) == PULSE_OK, "a frame is made");
  return pulse::Buffer(out);
}

/** The next step of a session, which has to be this one. */
pulse::Step next(const pulse::Sessions& sessions, std::uint32_t session, std::uint32_t what, const char* means) {
  auto step = sessions.poll(session);
  expect(step.what == what, means);
  return step;
}

/** A frame that is to be sent: its payload, where it has this type. */
pulse::Bytes payload(const pulse::Step& step, std::uint8_t type, const char* means) {
  const auto bytes = step.data.bytes();
  std::uint8_t is = 0;
  std::uint32_t channel = 0;
  std::size_t offset = 0;
  expect(pulse_frame_decode(bytes.data, bytes.length, &is, &channel, &offset, nullptr) == PULSE_OK && is == type, means);
  return {bytes.data + offset, bytes.length - offset};
}

/** The code that a phone scans: with the key's base64 escaped. */
std::string code_of(const std::string& public_key) {
  std::string escaped;
  for (const char c : public_key) {
    escaped += c == '+' ? "%2B" : c == '/' ? "%2F" : c == '=' ? "%3D" : std::string(1, c);
  }
  return "pulse://connect?auth_token=tok&identity_public_key=" + escaped +
         "&instance_id=relay_2e1b0929e6fd7c52&relay_url=wss%3A%2F%2Frelay.example.test%2Fws%2Fapp";
}

constexpr std::string_view ACK = R"({"channel_id":7,"instance_id":"relay_2e1b0929e6fd7c52"})";

/** Brings a session to its key exchange, and gives the phone's message. */
pulse::Step exchanging_keys(const pulse::Sessions& sessions, std::uint32_t session) {
  const pulse::Now now{0, 1774440000};
  sessions.feed(session, PULSE_FEED_START, 0, {nullptr, 0}, now);
  const auto connect = next(sessions, session, PULSE_DO_CONNECT, "it connects");
  expect(connect.data.text() == "wss://relay.example.test/ws/app", "to the relay of the code");
  sessions.feed(session, PULSE_FEED_CONNECTED, connect.connection, {nullptr, 0}, now);
  const auto hello = next(sessions, session, PULSE_DO_SEND, "it says CONNECT");
  payload(hello, PULSE_FRAME_CONNECT, "which is CONNECT");
  const auto ack = frame(PULSE_FRAME_CONNECT_ACK, 0, bytes(ACK));
  sessions.feed(session, PULSE_FEED_MESSAGE, connect.connection, ack.bytes(), now);
  return next(sessions, session, PULSE_DO_SEND, "it exchanges keys");
}

}  // namespace

int main() {
  pulse_identity* identity = nullptr;
  expect(pulse_identity_generate(&identity, nullptr) == PULSE_OK, "an identity is made");
  pulse_buffer* raw = nullptr;
  expect(pulse_identity_public_key(identity, &raw, nullptr) == PULSE_OK, "it has a public key");
  const std::string scanned = code_of(pulse::Buffer(raw).text());
  const pulse::Now now{10, 1774440000};

  pulse::Sessions sessions;
  const auto session = sessions.open_phone(scanned, R"({"platform":"ios","seed":1})");
  const auto hello = exchanging_keys(sessions, session);
  const auto message = payload(hello, PULSE_FRAME_KEY_EXCHANGE, "which is KEY_EXCHANGE");
  pulse_channel* instance = nullptr;
  expect(pulse_channel_accept(identity, message.data, message.length, &instance, &raw, nullptr) == PULSE_OK, "the instance accepts");
  const pulse::Buffer answer(raw);
  sessions.feed(session, PULSE_FEED_MESSAGE, hello.connection, frame(PULSE_FRAME_KEY_EXCHANGE, 7, answer.bytes()).bytes(), now);
  expect(next(sessions, session, PULSE_DO_EVENT, "it is told").data.text() == R"({"event":"ready"})", "that it may ask");

  const auto asked = sessions.act(session, R"({"act":"request","method":"GET","path":"/"})", now);
  expect(asked.text() == R"({"request":1})", "a request has a number");
  const auto sent = next(sessions, session, PULSE_DO_SEND, "the request is sent");
  const auto sealed = payload(sent, PULSE_FRAME_DATA, "as DATA");
  expect(pulse_channel_open(instance, sealed.data, sealed.length, &raw, nullptr) == PULSE_OK, "the instance opens it");
  expect(pulse::Buffer(raw).text() == R"({"id":"1","method":"GET","path":"/"})", "it is the request");
  const std::string_view response = R"({"id":"1","status":204})";
  expect(pulse_channel_seal(instance, bytes(response).data, response.size(), &raw, nullptr) == PULSE_OK, "the instance answers");
  const pulse::Buffer back(raw);
  sessions.feed(session, PULSE_FEED_MESSAGE, hello.connection, frame(PULSE_FRAME_DATA, 7, back.bytes()).bytes(), now);
  const auto event = next(sessions, session, PULSE_DO_EVENT, "the answer arrives").data.text();
  expect(event.find(R"("is_last":true)") != std::string::npos, "whole");
  next(sessions, session, PULSE_DO_NOTHING, "nothing is left to do");
  expect(sessions.deadline(session) > now.monotonic_ms, "a ping is planned");

  const auto second = sessions.open_phone(scanned, "{}");
  const auto other = exchanging_keys(sessions, second);
  std::vector<std::uint8_t> changed(answer.bytes().data, answer.bytes().data + answer.bytes().length);
  changed[40] ^= 1;
  const auto forged = frame(PULSE_FRAME_KEY_EXCHANGE, 7, {changed.data(), changed.size()});
  sessions.feed(second, PULSE_FEED_MESSAGE, other.connection, forged.bytes(), now);
  const auto warning = next(sessions, second, PULSE_DO_EVENT, "the program is told of another identity").data.text();
  expect(warning.find("identity_refused") != std::string::npos, "by its name");
  next(sessions, second, PULSE_DO_DISCONNECT, "which gets nothing");

  sessions.close(session);
  expect_refusal(PULSE_ERR_INVALID_ARGUMENT, [&] { sessions.poll(session); }, "a closed session is refused");
  expect_refusal(PULSE_ERR_PAIRING_MALFORMED, [&] { sessions.open_phone("nothing", "{}"); }, "no code makes no session");
  expect_refusal(PULSE_ERR_PAIRING_MALFORMED, [] { pulse::pairing_code_secret_json("nothing"); }, "no code is refused");
  expect(pulse::qr_svg("pulse://connect").text().find("<svg") != std::string::npos, "a QR code is drawn");

  pulse_channel_free(instance);
  pulse_identity_free(identity);
  std::puts("react-native: PulseTrustCalls holds");
}
