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

bool same(pulse::Bytes bytes, std::string_view text) {
  return std::string_view(reinterpret_cast<const char*>(bytes.data), bytes.length) == text;
}

pulse::Bytes bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

int main() {
  pulse_identity* identity = nullptr;
  expect(pulse_identity_generate(&identity, nullptr) == PULSE_OK, "an identity is made");
  pulse_buffer* raw = nullptr;
  expect(pulse_identity_public_key(identity, &raw, nullptr) == PULSE_OK, "it has a public key");
  const std::string public_key = pulse::Buffer(raw).text();

  pulse::Handles handles;
  const auto handshake = handles.start_handshake();
  const auto hello = handles.handshake_message(handshake);
  pulse_channel* instance = nullptr;
  expect(pulse_channel_accept(identity, hello.bytes().data, hello.bytes().length, &instance, &raw, nullptr) == PULSE_OK,
         "the instance accepts");
  const pulse::Buffer answer(raw);
  const auto channel = handles.finish_handshake(handshake, answer.bytes(), public_key);

  const auto sealed = handles.seal(channel, bytes("GET"));
  expect(pulse_channel_open(instance, sealed.bytes().data, sealed.bytes().length, &raw, nullptr) == PULSE_OK,
         "the instance opens what the phone seals");
  expect(same(pulse::Buffer(raw).bytes(), "GET"), "it is the same");
  expect(pulse_channel_seal(instance, bytes("200").data, 3, &raw, nullptr) == PULSE_OK, "the instance seals");
  const pulse::Buffer back(raw);
  expect(same(handles.open(channel, back.bytes()).bytes(), "200"), "the phone opens what the instance seals");
  expect_refusal(PULSE_ERR_MESSAGE_REPLAYED, [&] { handles.open(channel, back.bytes()); }, "a replay is refused");

  const auto second = handles.start_handshake();
  std::vector<std::uint8_t> changed(answer.bytes().data, answer.bytes().data + answer.bytes().length);
  changed[40] ^= 1;
  expect_refusal(
      PULSE_ERR_KEY_EXCHANGE_SIGNATURE,
      [&] { handles.finish_handshake(second, {changed.data(), changed.size()}, public_key); },
      "a changed signature is refused");
  expect_refusal(PULSE_ERR_INVALID_ARGUMENT, [&] { handles.seal(second, bytes("x")); }, "a handshake is no channel");
  handles.close(channel);
  expect_refusal(PULSE_ERR_INVALID_ARGUMENT, [&] { handles.seal(channel, bytes("x")); }, "a closed channel is refused");

  const auto frame = pulse::encode_frame(7, 0xfffffffe, bytes("payload"));
  const auto head = pulse::decode_frame(frame.bytes());
  expect(head.type == 7 && head.channel == 0xfffffffe && head.payload_offset == 6, "a frame is read as it was written");
  expect_refusal(PULSE_ERR_PAIRING_MALFORMED, [] { pulse::pairing_code_secret_json("nothing"); }, "no code is refused");
  expect(pulse::qr_svg("pulse://connect").text().find("<svg") != std::string::npos, "a QR code is drawn");

  pulse_channel_free(instance);
  pulse_identity_free(identity);
  std::puts("react-native: PulseTrustCalls holds");
}
