#include "xa/xid.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/hex.h"
#include "base/sha256.h"
#include "belay/xa.h"

namespace belay {
namespace xa {
namespace {

constexpr std::string_view kMark = "belay-";
// The character in front of a digest, or instead of a part that is not plain.
constexpr std::string_view kOther = "~";
constexpr std::size_t kGidBytesMax = 33;  // 64 bytes without the mark, the realm and the dot
constexpr std::size_t kBranchBytesMax = 16;
constexpr std::size_t kDigestBytes = 16;
constexpr std::size_t kPartBytesMax = 64;

bool is_plain(char c) {
  return base::is_letter(c) || base::is_digit(c) || c == '-' || c == '_' || c == ':';
}

bool is_short_and_plain(std::string_view text, std::size_t bytes_max) {
  return !text.empty() && text.size() <= bytes_max &&
         std::all_of(text.begin(), text.end(), is_plain);
}

bool is_plain_gid(std::string_view gid) {
  const auto plain = [](char c) { return is_plain(c) || c == '.'; };
  return !gid.empty() && gid.size() <= kGidBytesMax && std::all_of(gid.begin(), gid.end(), plain);
}

// The lengths distinguish inputs whose concatenated bytes would be the same.
std::string digest_of(std::string_view realm, std::string_view gid, std::string_view branch_id) {
  const auto digest =
      base::sha256(fmt::format("{}:{}{}:{}{}", realm.size(), realm, gid.size(), gid, branch_id));
  std::string text(kOther);
  for (std::size_t i = 0; i < kDigestBytes; ++i) base::append_hex(text, digest[i]);
  return text;
}

}  // namespace

bool is_realm(std::string_view text) {
  return !text.empty() && text.size() <= kRealmBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || base::is_digit(c) || c == '-';
         });
}

std::string prefix_of(std::string_view realm) {
  return realm.empty() ? std::string(kMark) : fmt::format("{}{}.", kMark, realm);
}

Xid make_xid(std::string_view realm, std::string_view gid, std::string_view branch_id) {
  const bool plain_branch = is_short_and_plain(branch_id, kBranchBytesMax);
  const bool plain = is_realm(realm) && is_plain_gid(gid) && plain_branch;
  return {
      prefix_of(is_realm(realm) ? realm : kOther) +
          (plain ? std::string(gid) : digest_of(realm, gid, branch_id)),
      std::string(plain_branch ? branch_id : kOther),
  };
}

std::optional<Xid> xid_from(std::string_view text) {
  const auto dot = text.rfind('.');
  if (!text.starts_with(kMark) || dot == std::string_view::npos) return std::nullopt;
  Xid xid{std::string(text.substr(0, dot)), std::string(text.substr(dot + 1))};
  const auto known = [](char c) { return is_plain(c) || c == '.' || kOther.front() == c; };
  if (xid.branch.empty() || !std::all_of(text.begin(), text.end(), known)) return std::nullopt;
  if (std::max(xid.transaction.size(), xid.branch.size()) > kPartBytesMax) return std::nullopt;
  return xid;
}

std::string_view realm_of(const Xid& xid) {
  const auto rest = std::string_view(xid.transaction).substr(kMark.size());
  return rest.substr(0, rest.find('.'));
}

std::string_view gid_of(const Xid& xid) {
  const auto skipped = kMark.size() + realm_of(xid).size() + 1;
  const auto gid =
      std::string_view(xid.transaction).substr(std::min(skipped, xid.transaction.size()));
  return gid.starts_with(kOther) ? std::string_view() : gid;
}

}  // namespace xa

std::string xid_of(std::string_view realm, std::string_view gid, std::string_view branch_id) {
  return xa::make_xid(realm, gid, branch_id).text();
}

}  // namespace belay
