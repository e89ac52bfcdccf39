// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <faultline/core/sha256.hpp>

#include <support/catch2.hpp>

#include <set>
#include <string>
#include <vector>

using faultline::sha256_hex;
using faultline::core::Sha256;

// The example messages of FIPS 180-2, appendix B, and the empty message.
TEST_CASE("SHA-256 gives the digests of the standard's examples", "[sha256]") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256_hex(std::string(1'000'000, 'a')) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("A digest does not depend on how the bytes are cut, at any length around the block size", "[sha256]") {
  for (std::size_t length = 0; length <= 130; ++length) {
    std::vector<std::byte> message(length);
    for (std::size_t i = 0; i < length; ++i) message[i] = static_cast<std::byte>(i * 37 + 11);
    const std::string whole = sha256_hex(message);
    Sha256 bytewise;
    for (const std::byte& byte : message) bytewise.update({&byte, 1});
    CHECK(bytewise.hex() == whole);
    Sha256 halves;
    halves.update(std::span(message).first(length / 2));
    // Asking does not disturb
    CHECK(halves.hex() == sha256_hex(std::span<const std::byte>(message).first(length / 2)));
    halves.update(std::span(message).subspan(length / 2));
    CHECK(halves.hex() == whole);
  }
}

TEST_CASE("Every single flipped bit changes the digest", "[sha256]") {
  std::vector<std::byte> message(70, std::byte{0x5a});
  std::set<std::string> digests = {sha256_hex(message)};
  for (std::size_t bit = 0; bit < 8 * message.size(); ++bit) {
    message[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
    digests.insert(sha256_hex(message));
    message[bit / 8] ^= static_cast<std::byte>(1u << (bit % 8));
  }
  CHECK(digests.size() == 8 * message.size() + 1);
}
