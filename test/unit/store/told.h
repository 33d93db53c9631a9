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
// What it says of one transaction's branches and of its timeline is what the views say, if there is
// a row and the log has no more.
void check_views(const std::string& path, const std::string& gid);
// Everything a reader says of the transactions.
std::string everything(Reader& reader);

}  // namespace belay::test
