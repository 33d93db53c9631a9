// Edits: an operator changes what a branch is called with. The request stays as it was; the edited
// step is appended to the definition.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "belay/changes.h"
#include "core/transaction.h"

namespace belay::core {

// Each edit stays in the definition and in the timeline, so there is a limit.
inline constexpr std::uint32_t kEditsMax = 100;

// The text of an `edited` record.
struct EditText {
  std::string_view step;  // encoded, see Definition::edit_step
  std::string_view note;  // what was changed from what to what, who asked for it, and why
};
std::string encode_edit(const EditText& edit);
std::optional<EditText> read_edit(std::string_view text);

// Whether the operation can be called with these values.
using MayCall = std::function<Result<>(std::string_view target, std::string_view payload,
                                       const std::vector<Header>& headers)>;
// The text of the record for these changes of an operation of a branch; `may_edit` was checked
// before. Errors: invalid_argument, payload_limit, definition_limit, forbidden (too many edits),
// and those of `may_call`.
Result<std::string> edit(const Transaction& transaction, std::uint32_t branch, Op op,
                         const Changes& changes, std::string_view reason, const Limits& limits,
                         const MayCall& may_call);

}  // namespace belay::core
