// Converts the rows of a state file to dtm's format: a transaction, and one row for each operation
// of each branch.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "belay/reader.h"
#include "belay/report.h"
#include "serve/protocol/api_result.h"
#include "serve/protocol/secrets.h"
#include "serve/protocol/transaction_request.h"

namespace belay::protocol {

struct StoredTransaction {
  Json transaction;
  Json branches;  // a workflow has its progress here
};

// Nothing if the gid is not known.
Result<std::optional<StoredTransaction>> read_transaction_rows(Reader& reader,
                                                               const std::string& gid,
                                                               Secrets secrets);
Json transaction_json(const TransactionRow& row, Secrets secrets);
// The URL that the target calls.
std::string shown_url(std::string_view target, Secrets secrets);
// The same for a transaction that was just prepared.
Json new_transaction(const Report& report, const TransactionRequest& request);

ApiResult too_many_reads();

}  // namespace belay::protocol
