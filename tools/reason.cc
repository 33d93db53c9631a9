#include "reason.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/signed_reason.h"
#include "base/utf8.h"

namespace belay::tool {
namespace {

constexpr std::size_t kReasonBytesMax = 800;
constexpr std::size_t kTicketBytesMax = 100;

std::optional<std::string> wrong_text(const char* name, const std::string& text, std::size_t most) {
  if (!base::is_text(text)) return fmt::format("{} is no UTF-8", name);
  if (text.size() <= most) return std::nullopt;
  return fmt::format("{} has {} bytes, the limit is {}", name, text.size(), most);
}

}  // namespace

void add_reason_options(CLI::App* command, ReasonOptions& options) {
  command->add_option("--reason", options.reason, "why; it is kept")->type_name("TEXT");
  command->add_option("--ticket", options.ticket, "of your tracker; it is kept with the reason")
      ->type_name("TEXT");
}

std::optional<std::string> wrong_with(const ReasonOptions& options, bool must_have) {
  if (must_have && options.reason.empty()) return "give --reason TEXT; it is kept";
  if (auto wrong = wrong_text("--reason", options.reason, kReasonBytesMax)) return wrong;
  return wrong_text("--ticket", options.ticket, kTicketBytesMax);
}

std::string text_of(const ReasonOptions& options) {
  return base::with_ticket(options.reason, options.ticket);
}

}  // namespace belay::tool
