#include "core/edit.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/bytes.h"
#include "base/invalid.h"
#include "base/secrets.h"
#include "core/definition.h"
#include "core/ops.h"
#include "core/record.h"
#include "core/topics.h"

namespace belay::core {
namespace {

constexpr std::size_t kTargetShown = 200;  // bytes of a target in a note

std::string_view& target_in(StepView& view, Mode mode, Op op) {
  if (phase_of(op) == Phase::first) return view.first;
  return op == ops_of(mode).rollback ? view.rollback : view.commit;
}

bool has_name(const Header& header, std::string_view name) {
  return base::equal_ignoring_case(header.name, name);
}

void leave_out(std::vector<Header>& headers, std::string_view name) {
  headers.erase(std::remove_if(headers.begin(), headers.end(),
                               [name](const Header& header) { return has_name(header, name); }),
                headers.end());
}

std::vector<Header> changed(std::vector<Header> headers, const Changes& changes) {
  for (const auto& name : changes.without_headers) leave_out(headers, name);
  for (const auto& header : changes.headers) leave_out(headers, header.name);
  headers.insert(headers.end(), changes.headers.begin(), changes.headers.end());
  return headers;
}

std::string shown(std::string_view target) {
  if (target.empty()) return "none";
  auto text = base::without_secrets(target);
  if (text.size() > kTargetShown) text = text.substr(0, kTargetShown) + "...";
  return text;
}

class Note {
 public:
  void add(const std::string& part) {
    if (!text_.empty()) text_ += ", ";
    text_ += part;
  }
  std::string with(std::string_view reason) && {
    if (!reason.empty()) text_.append(": ").append(reason);
    text_.resize(std::min(text_.size(), kReasonBytesMax));
    return std::move(text_);
  }

 private:
  std::string text_;
};

Result<> check(const Definition& definition, std::uint32_t branch, Op op, const Changes& changes) {
  if (changes.is_empty()) return base::invalid("nothing of the branch is changed");
  const auto is_topic_of_msg = [&](std::string_view target) {
    return definition.mode() == Mode::msg && is_topic(target);
  };
  if (is_topic_of_msg(definition.target(branch, op)))
    return base::invalid("the branch names a topic: edit those of its subscribers");
  if (!changes.target) return {};
  if (changes.target->empty()) return base::invalid("the new target is empty");
  if (is_topic_of_msg(*changes.target)) return base::invalid("the new target is a topic");
  return {};
}

}  // namespace

std::string encode_edit(const EditText& edit) {
  std::string out;
  base::put_string(out, edit.step);
  base::put_string(out, edit.note);
  return out;
}

std::optional<EditText> read_edit(std::string_view text) {
  base::ByteReader in(text);
  EditText edit;
  edit.step = in.string();
  edit.note = in.string();
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return edit;
}

Result<std::string> edit(const Transaction& transaction, std::uint32_t branch, Op op,
                         const Changes& changes, std::string_view reason, const Limits& limits,
                         const MayCall& may_call) {
  const auto& definition = transaction.definition;
  BELAY_TRY(check(definition, branch, op, changes));
  if (definition.edit_count() >= kEditsMax) {
    return Error{ErrorCode::forbidden,
                 fmt::format("the transaction was edited {} times, which is the limit", kEditsMax)};
  }
  Note note;
  auto view = definition.step(branch);
  auto& target = target_in(view, definition.mode(), op);
  if (changes.target) {
    note.add(fmt::format("{} {} -> {}", name_of(op), shown(target), shown(*changes.target)));
    target = *changes.target;
  }
  if (changes.payload) {
    note.add(fmt::format("payload {} -> {} bytes", view.payload.size(), changes.payload->size()));
    view.payload = *changes.payload;
  }
  auto headers = definition.headers(branch);
  if (!changes.headers.empty() || !changes.without_headers.empty()) {
    const auto before = headers.size();
    headers = changed(std::move(headers), changes);
    note.add(fmt::format("headers {} -> {}", before, headers.size()));
  }
  BELAY_TRY(may_call(target, view.payload, headers));
  const auto step = encode_edited(definition, branch, view, headers, limits);
  if (!step) return step.error();
  return encode_edit({*step, std::move(note).with(reason)});
}

}  // namespace belay::core
