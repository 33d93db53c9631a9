// Reads the definitions of transactions for `belay submit`: one JSON object, or one object on each
// line. An object with "mode" has belay's own form, which says all that a description can say (see
// belay/transfer.h); any other one has dtm's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belay/result.h"
#include "belay/transfer.h"
#include "serve/protocol/transaction_request.h"

namespace belay::tool {

struct Submission {
  std::size_t line = 0;                    // 0: the only definition
  protocol::Json json{};                   // of dtm's form: as read, and with a gid
  protocol::TransactionRequest request{};  // of belay's own form: only the gid
  std::optional<OwnedDescription> own{};   // if it has that form
  std::string own_text{};                  // as read, and with a gid

  // "line 3: ", or nothing.
  std::string place() const;
};

// Reads a file, or stdin if the path is "-". Errors: not_found, storage, invalid_argument (names
// the line and the field; also a key that nobody reads).
Result<std::vector<Submission>> read_definitions(const std::string& path);
Result<std::vector<Submission>> parse_definitions(const std::string& text);

}  // namespace belay::tool
