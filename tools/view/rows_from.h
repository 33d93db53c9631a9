// The rows of rows.h, read back from their JSON. An object that is not whole is no row.
#pragma once

#include <optional>

#include "view/rows.h"

namespace belay::tool {

// A definition that the object has not stays empty.
std::optional<TransactionRow> transaction_row_from(const Json& object);
std::optional<BranchRow> branch_row_from(const Json& object);
std::optional<WholeTransaction> whole_transaction_from(const Json& object);
std::optional<HostFigures> host_from(const Json& object);
std::optional<Hold> hold_from(const Json& object);
std::optional<Topic> topic_from(const Json& object);

// All elements of the array `object[name]`; nothing: it has none such, or one of them is no row.
template <class Row>
std::optional<std::vector<Row>> rows_from(const Json& object, const char* name,
                                          std::optional<Row> (*row_from)(const Json&)) {
  if (!object.is_object()) return std::nullopt;
  const auto found = object.find(name);
  if (found == object.end() || !found->is_array()) return std::nullopt;
  std::vector<Row> rows;
  for (const auto& one : *found) {
    auto row = row_from(one);
    if (!row) return std::nullopt;
    rows.push_back(std::move(*row));
  }
  return rows;
}

}  // namespace belay::tool
