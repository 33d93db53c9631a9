// Payloads as they are shown: as messages, as text, or as bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "payload/message_types.h"
#include "payload/payloads.h"
#include "view/rows.h"

namespace belay::tool {

// So much is shown of a message or a text, of bytes, of a reason, and of all payloads of a
// transaction.
inline constexpr std::size_t kMessageShownMax = std::size_t{64} * 1024;
inline constexpr std::size_t kBytesShownMax = std::size_t{4} * 1024;
inline constexpr std::size_t kReasonShownMax = 200;
inline constexpr std::size_t kPayloadsShownMax = std::size_t{16} * 1024 * 1024;

struct ShownPayload {
  enum class Form : std::uint8_t { message, text, base64 };

  std::string branch_id;
  Op op{};
  std::size_t size = 0;  // of the payload, in bytes
  std::string type;      // of the message; empty: unknown, or none
  Form form{};
  std::string value;    // JSON, text or base64, perhaps only its beginning
  bool is_cut = false;  // `value` is only a beginning
  std::string reason;   // why a message is not shown as one
};

// Who has taken secrets out of the payloads, or is to do it.
enum class PayloadSecrets : std::uint8_t { shown, hide, hidden_before };

// Once `bytes_max` are shown, or are there to be decoded, no further payload is shown.
std::vector<ShownPayload> shown_payloads(const WholeTransaction& whole, const MessageTypes& types,
                                         PayloadSecrets secrets,
                                         std::size_t bytes_max = kPayloadsShownMax);

Json json_of(const ShownPayload& payload);
Json json_of(const std::vector<ShownPayload>& payloads);
// Read back from its JSON; an object that is not whole is no payload.
std::optional<ShownPayload> shown_payload_from(const Json& object);

}  // namespace belay::tool
