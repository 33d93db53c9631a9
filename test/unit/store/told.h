// What a reader tells, as text to compare: columns joined by '|', times in ms, none as '-'.
#pragma once

#include <optional>
#include <string>

#include "belay/reader.h"

namespace belay::test {

std::string text(const std::optional<TimePoint>& at);
std::string text(const TransactionRow& row);
std::string text(const BranchRow& row);
std::string text(const TimelineRow& row);

// The test stops if it does not open.
Reader open_reader(const std::string& path);
// Everything a reader says of the transactions.
std::string everything(Reader& reader);

}  // namespace belay::test
