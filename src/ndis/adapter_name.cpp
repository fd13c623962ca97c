#include "ndis/adapter_name.h"
#include "net/text.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <vector>

namespace turnpike::ndis {
namespace {

using Digest = std::array<std::uint8_t, 20>;

// SHA-1 of a short text (FIPS 180-4). Names are not secrets: it is here because version 5 says so.
class Sha1 {
 public:
  static Digest of(std::vector<std::uint8_t> text) {
    const std::uint64_t bits = text.size() * 8;
    text.push_back(0x80);
    text.resize((text.size() + 8 + 63) / 64 * 64);
    for (std::size_t i = 0; i < 8; ++i) {
      text[text.size() - 1 - i] = static_cast<std::uint8_t>(bits >> (8 * i));
    }
    Sha1 sha;
    for (std::size_t at = 0; at < text.size(); at += 64) {
      sha.block(&text[at]);
    }
    Digest digest{};
    for (std::size_t i = 0; i < digest.size(); ++i) {
      digest[i] = static_cast<std::uint8_t>(sha.state_[i / 4] >> (24 - 8 * (i % 4)));
    }
    return digest;
  }

 private:
  void block(const std::uint8_t* bytes) {
    std::array<std::uint32_t, 80> w{};
    for (std::size_t i = 0; i < 16; ++i) {
      for (std::size_t k = 0; k < 4; ++k) {
        w[i] = w[i] << 8 | bytes[4 * i + k];
      }
    }
    for (std::size_t i = 16; i < 80; ++i) {
      w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    }
    auto [a, b, c, d, e] = state_;
    for (std::size_t i = 0; i < 80; ++i) {
      const std::uint32_t f = i < 20   ? (b & c) | (~b & d)
                              : i < 40 ? b ^ c ^ d
                              : i < 60 ? (b & c) | (b & d) | (c & d)
                                       : b ^ c ^ d;
      static constexpr std::array<std::uint32_t, 4> kConstants{0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6};
      const std::uint32_t next = std::rotl(a, 5) + f + e + kConstants[i / 20] + w[i];
      e = d;
      d = c;
      c = std::rotl(b, 30);
      b = a;
      a = next;
    }
    state_ = {state_[0] + a, state_[1] + b, state_[2] + c, state_[3] + d, state_[4] + e};
  }

  std::array<std::uint32_t, 5> state_{0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0};
};

bool same_letters(std::string_view one, std::string_view other) {
  return std::ranges::equal(
      one, other, {}, [](unsigned char c) { return std::toupper(c); }, [](unsigned char c) { return std::toupper(c); });
}

}  // namespace

std::string adapter_name_of(const AdapterFacts& facts) {
  // The name space of our names: made once, at random.
  static constexpr std::array<std::uint8_t, 16> kSpace{0x6b, 0x1f, 0x2c, 0x90, 0x5d, 0x3a, 0x4e, 0x77,
                                                       0x9a, 0x41, 0x0d, 0xe8, 0x73, 0xc5, 0x12, 0xb6};
  std::vector<std::uint8_t> text(kSpace.begin(), kSpace.end());
  const auto append = [&](std::uint64_t number, int bytes) {
    for (int i = 0; i < bytes; ++i) {
      text.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
    }
  };
  append(facts.namespace_id, 8);
  append(facts.index.value(), 4);
  if (facts.permanent) {
    text.insert(text.end(), facts.permanent->bytes().begin(), facts.permanent->bytes().end());
  }
  Digest digest = Sha1::of(std::move(text));
  digest[6] = static_cast<std::uint8_t>((digest[6] & 0x0f) | 0x50);
  digest[8] = static_cast<std::uint8_t>((digest[8] & 0x3f) | 0x80);
  std::string name = "\\Device\\{";
  for (std::size_t i = 0; i < 16; ++i) {
    static constexpr std::string_view kDigits = "0123456789ABCDEF";
    if (i == 4 || i == 6 || i == 8 || i == 10) {
      name += '-';
    }
    name += kDigits[digest[i] >> 4];
    name += kDigits[digest[i] & 0xf];
  }
  return name + "}";
}

bool names_adapter(std::string_view said, std::string_view constant, std::string_view interface_name) {
  static constexpr std::string_view kDevice = "\\Device\\";
  return same_letters(said, constant) ||
         (said.size() > kDevice.size() && same_letters(said.substr(0, kDevice.size()), kDevice) &&
          same_letters(said.substr(kDevice.size()), interface_name));
}

bool glob_matches(std::string_view glob, std::string_view text) {
  std::size_t g = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      resume = t;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == text[t])) {
      ++g;
      ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return glob.find_first_not_of('*', g) == std::string_view::npos;
}

bool matches(const std::string& entry, const AdapterFacts& facts) {
  static constexpr std::string_view kKind = "kind:";
  if (entry.starts_with(kKind)) {
    return glob_matches(std::string_view(entry).substr(kKind.size()), facts.kind);
  }
  return glob_matches(entry, facts.name) ||
         (facts.permanent && std::string_view(entry) == net::to_text(*facts.permanent).view());
}

bool matches_any(const std::vector<std::string>& list, const AdapterFacts& facts) {
  return std::ranges::any_of(list, [&](const std::string& entry) { return matches(entry, facts); });
}

}  // namespace turnpike::ndis
