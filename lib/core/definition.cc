#include "core/definition.h"

#include <algorithm>
#include <limits>

#include "base/ascii.h"
#include "base/bytes.h"
#include "base/hash.h"
#include "base/trace.h"
#include "belay/check.h"
#include "core/draft.h"
#include "core/ops.h"

// The bytes: format, mode, shape, flags, gid; then each optional field whose flag is set, in the
// order of the flags; the number of steps and the steps (flags, first target, rollback target,
// payload, optional fields); for a graph, one list for each step. Added and edited steps have the
// same form as the others.
namespace belay::core {

using base::ByteReader;

namespace {

constexpr std::uint8_t kFormat = 1;

enum HeadFlag : std::uint8_t {
  kDelay = 1,
  kTimeoutToFail = 2,
  kRequestTimeout = 4,
  kRetry = 8,
  kHeaders = 16,
  kCustomData = 32,
  kTraceParent = 64,
  kName = 128,  // the name of a workflow
};

enum StepFlag : std::uint8_t {
  kStepRequestTimeout = 1,
  kStepRetry = 2,
  kStepHeaders = 4,
  kStepCommit = 8,  // has a confirming target
  kStepQuery = 16,  // is a message's back-check
  // A topic's subscriber: names the branch that has everything except the target.
  kStepParent = 32,
  kStepBranchId = 64,  // tcc, xa: the caller's own id
  kStepEdits = 128,    // replaces the step of the branch that it names
};
constexpr std::uint8_t kStepFlags = 127;  // of a request, or added
// What an edited step has in common with the step that it replaces.
constexpr std::uint8_t kStepKept = kStepQuery | kStepParent | kStepBranchId;

void put_retry(std::string& out, const Retry& retry) {
  base::put_varint(out, static_cast<std::uint64_t>(retry.first_interval.count()));
  base::put_double(out, retry.multiplier);
  base::put_varint(out, static_cast<std::uint64_t>(retry.interval_max.count()));
  base::put_double(out, retry.jitter);
  base::put_varint(out, retry.limit);
  base::put_varint(out, static_cast<std::uint64_t>(retry.ongoing_interval.count()));
}

Millis read_millis(ByteReader& in) {
  const auto value = in.varint();
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) in.fail();
  return Millis(static_cast<std::int64_t>(value));
}

Retry read_retry(ByteReader& in) {
  Retry retry;
  retry.first_interval = read_millis(in);
  retry.multiplier = in.real();
  retry.interval_max = read_millis(in);
  retry.jitter = in.real();
  retry.limit = in.varint32();
  retry.ongoing_interval = read_millis(in);
  return retry;
}

void put_headers(std::string& out, const std::vector<Header>& headers) {
  base::put_varint(out, headers.size());
  for (const auto& header : headers) {
    base::put_string(out, header.name);
    base::put_string(out, header.value);
  }
}

// Appends to `headers`, or only skips the bytes if `headers` is null.
void read_headers(ByteReader& in, std::vector<Header>* headers) {
  const auto count = in.varint();
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    const auto name = in.string();
    const auto value = in.string();
    if (headers != nullptr && in.ok()) headers->push_back({std::string(name), std::string(value)});
  }
}

bool is_branch_id(std::string_view id) {
  return !id.empty() && id.size() <= kBranchIdBytesMax &&
         std::none_of(id.begin(), id.end(), base::is_control);
}

Error unknown_format(std::uint8_t format) {
  return {ErrorCode::unsupported, "definition format " + std::to_string(format)};
}

bool names_branches(Mode mode) { return mode == Mode::tcc || mode == Mode::xa; }

}  // namespace

// One step, decoded when it is needed.
struct Definition::StepParts {
  StepView view;
  std::optional<Millis> request_timeout;
  std::optional<Retry> retry;
  std::uint32_t parent = 0;
  std::string_view branch_id;
  std::uint32_t edits = 0;

  // Appends to `headers`, or only skips the bytes if `headers` is null.
  static StepParts read(ByteReader& in, std::uint8_t flags, std::vector<Header>* headers) {
    StepParts parts;
    parts.view.first = in.string();
    parts.view.rollback = in.string();
    parts.view.payload = in.string();
    if (flags & kStepRequestTimeout) parts.request_timeout = read_millis(in);
    if (flags & kStepRetry) parts.retry = read_retry(in);
    if (flags & kStepHeaders) read_headers(in, headers);
    if (flags & kStepCommit) parts.view.commit = in.string();
    if (flags & kStepParent) parts.parent = in.varint32();
    if (flags & kStepBranchId) {
      parts.branch_id = in.string();
      if (!is_branch_id(parts.branch_id)) in.fail();
    }
    if (flags & kStepEdits) parts.edits = in.varint32();
    return parts;
  }
};

struct Definition::Head {
  Millis delay{0};
  std::optional<Millis> timeout_to_fail;
  std::optional<Millis> request_timeout;
  std::optional<Retry> retry;
  std::vector<Header> headers;
  std::string_view custom_data;
  std::string_view trace_parent;
  std::string_view name;

  static Head read(ByteReader& in, std::uint8_t flags) {
    Head head;
    if (flags & kDelay) head.delay = read_millis(in);
    if (flags & kTimeoutToFail) head.timeout_to_fail = read_millis(in);
    if (flags & kRequestTimeout) head.request_timeout = read_millis(in);
    if (flags & kRetry) head.retry = read_retry(in);
    if (flags & kHeaders) read_headers(in, &head.headers);
    if (flags & kCustomData) head.custom_data = in.string();
    if (flags & kTraceParent) head.trace_parent = in.string();
    if (flags & kName) head.name = in.string();
    return head;
  }
};

void Definition::append_offsets(const std::vector<std::uint32_t>& steps_at) {
  bytes_.append(reinterpret_cast<const char*>(steps_at.data()),
                steps_at.size() * sizeof(std::uint32_t));
  step_count_ += static_cast<std::uint32_t>(steps_at.size());
}

Result<Definition> Definition::parse(std::string_view bytes) {
  Definition definition;
  std::vector<std::uint32_t> steps_at;
  ByteReader in(bytes);
  const auto format = in.u8();
  const auto mode = in.u8();
  const auto shape = in.u8();
  const auto flags = in.u8();
  const auto gid = in.string();
  if (in.ok() && format != kFormat) return unknown_format(format);
  if (mode > static_cast<std::uint8_t>(Mode::workflow) ||
      shape > static_cast<std::uint8_t>(Shape::graph))
    in.fail();
  const bool is_workflow = mode == static_cast<std::uint8_t>(Mode::workflow);
  if (is_workflow != ((flags & kName) != 0)) in.fail();
  definition.gid_bytes_ = static_cast<std::uint32_t>(gid.size());
  definition.gid_at_ = static_cast<std::uint32_t>(in.offset() - gid.size());
  const auto head = Head::read(in, flags);
  if (is_workflow && head.name.empty()) in.fail();
  const auto count = in.varint32();
  // A step takes at least one byte, so a larger count is wrong and must not reserve memory.
  if (count > in.left()) in.fail();
  if (in.ok()) steps_at.reserve(count);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    steps_at.push_back(static_cast<std::uint32_t>(in.offset()));
    const auto step_flags = in.u8();
    if ((step_flags & ~kStepFlags) != 0) in.fail();
    StepParts::read(in, step_flags, nullptr);
    // Subscribers are only added later.
    if ((step_flags & kStepParent) != 0) in.fail();
    const bool may_query = mode == static_cast<std::uint8_t>(Mode::msg) && i + 1 == count;
    const bool is_query = (step_flags & kStepQuery) != 0;
    // A workflow's only branch is its callback.
    if (is_workflow ? !is_query || count != 1 : is_query && !may_query) in.fail();
    if ((step_flags & kStepBranchId) != 0) {
      if (!names_branches(static_cast<Mode>(mode))) in.fail();
      definition.has_own_branch_ids_ = true;
    }
  }
  if (is_workflow && count == 0) in.fail();
  definition.orders_at_ = static_cast<std::uint32_t>(in.offset());
  if (in.ok() && shape == static_cast<std::uint8_t>(Shape::graph)) {
    for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
      const auto waits = in.varint32();
      for (std::uint32_t j = 0; j < waits && in.ok(); ++j) {
        if (in.varint32() >= count) in.fail();
      }
    }
  }
  if (!in.ok() || !in.at_end() || gid.empty()) {
    return Error{ErrorCode::corrupt, "a definition that cannot be read"};
  }
  definition.bytes_.reserve(bytes.size() + count * sizeof(std::uint32_t));
  definition.bytes_ = bytes;
  definition.asked_bytes_ = static_cast<std::uint32_t>(bytes.size());
  definition.append_offsets(steps_at);
  return definition;
}

Result<std::string_view> Definition::gid_of(std::string_view bytes) {
  ByteReader in(bytes);
  const auto format = in.u8();
  for (int i = 0; i < 3; ++i) in.u8();  // mode, shape, flags
  const auto gid = in.string();
  if (in.ok() && format != kFormat) return unknown_format(format);
  if (!in.ok() || gid.empty()) return Error{ErrorCode::corrupt, "a definition that cannot be read"};
  return gid;
}

Result<> Definition::add_steps(std::string_view steps) {
  ByteReader in(steps);
  std::vector<std::uint32_t> added_at;
  const auto size = encoded().size();
  bool has_own_branch_ids = false;
  while (in.ok() && !in.at_end()) {
    added_at.push_back(static_cast<std::uint32_t>(size + in.offset()));
    const auto flags = in.u8();
    const auto parts = StepParts::read(in, flags, nullptr);
    if ((flags & ~kStepFlags) != 0 || (flags & kStepQuery) != 0) in.fail();
    // A subscriber's topic is a branch of the request.
    const bool has_parent = (flags & kStepParent) != 0;
    if (has_parent && (parts.parent >= step_count_ || parent(parts.parent))) in.fail();
    if (!parts.branch_id.empty() && !names_branches(mode())) in.fail();
    has_own_branch_ids = has_own_branch_ids || !parts.branch_id.empty();
  }
  if (!in.ok() || size + steps.size() > std::numeric_limits<std::uint32_t>::max()) {
    return Error{ErrorCode::corrupt, "an added branch that cannot be read"};
  }
  bytes_.insert(size, steps);
  append_offsets(added_at);
  has_own_branch_ids_ = has_own_branch_ids_ || has_own_branch_ids;
  return {};
}

Result<> Definition::edit_step(std::uint32_t branch, std::string_view edited) {
  ByteReader in(edited);
  const auto flags = in.u8();
  const auto parts = StepParts::read(in, flags, nullptr);
  const auto size = encoded().size();
  const bool is_whole = in.ok() && in.at_end() && (flags & kStepEdits) != 0 &&
                        size + edited.size() <= std::numeric_limits<std::uint32_t>::max();
  const bool fits = is_whole && parts.edits == branch && branch < step_count_ &&
                    (step_flags(branch) & kStepKept) == (flags & kStepKept) &&
                    own_branch_id(branch) == parts.branch_id &&
                    parent(branch).value_or(0) == parts.parent;
  if (!fits) return Error{ErrorCode::corrupt, "an edited branch that cannot be read"};
  const auto at = static_cast<std::uint32_t>(size);
  bytes_.insert(size, edited);
  std::memcpy(bytes_.data() + encoded().size() + branch * sizeof at, &at, sizeof at);
  return {};
}

Result<> Definition::restore_added(std::string_view added) {
  std::size_t done = 0;
  for (ByteReader in(added); in.ok() && !in.at_end();) {
    const auto at = in.offset();
    const auto flags = in.u8();
    const auto branch = StepParts::read(in, flags, nullptr).edits;
    if (!in.ok() || (flags & kStepEdits) == 0) continue;
    BELAY_TRY(add_steps(added.substr(done, at - done)));
    BELAY_TRY(edit_step(branch, added.substr(at, in.offset() - at)));
    done = in.offset();
  }
  return add_steps(added.substr(done));
}

bool Definition::is_edited(std::uint32_t branch) const {
  return (step_flags(branch) & kStepEdits) != 0;
}

Definition Definition::without_edits() const {
  std::string kept;
  std::size_t at = 0;
  for (ByteReader in(added()); in.ok() && !in.at_end(); at = in.offset()) {
    const auto flags = in.u8();
    StepParts::read(in, flags, nullptr);
    if ((flags & kStepEdits) == 0) kept.append(added().substr(at, in.offset() - at));
  }
  auto before = *parse(bytes());  // these bytes were read before
  BELAY_CHECK(before.add_steps(kept).has_value());
  return before;
}

std::uint32_t Definition::edit_count() const {
  std::uint32_t count = 0;
  for (ByteReader in(added()); in.ok() && !in.at_end();) {
    const auto flags = in.u8();
    StepParts::read(in, flags, nullptr);
    count += (flags & kStepEdits) != 0 ? 1 : 0;
  }
  return count;
}

Mode Definition::mode() const { return static_cast<Mode>(bytes_[1]); }
Shape Definition::shape() const { return static_cast<Shape>(bytes_[2]); }
std::string_view Definition::gid() const {
  return std::string_view(bytes_).substr(gid_at_, gid_bytes_);
}

Definition::Head Definition::head() const {
  ByteReader in(std::string_view(bytes_).substr(gid_at_ + gid_bytes_));
  return Head::read(in, static_cast<std::uint8_t>(bytes_[3]));
}

Definition::StepParts Definition::parts(std::uint32_t branch) const {
  ByteReader in(std::string_view(bytes_).substr(step_at(branch) + 1));
  return StepParts::read(in, step_flags(branch), nullptr);
}

// Every step begins with its flags, its first target, its rollback target and its payload. Few
// steps have another part that belongs to the view.
StepView Definition::own_view(std::uint32_t branch) const {
  if ((step_flags(branch) & kStepCommit) != 0) return parts(branch).view;
  ByteReader in(std::string_view(bytes_).substr(step_at(branch) + 1));
  StepView view;
  view.first = in.string();
  view.rollback = in.string();
  view.payload = in.string();
  return view;
}

StepView Definition::step(std::uint32_t branch) const {
  auto view = own_view(branch);
  if (const auto from = source(branch)) view.payload = step(*from).payload;
  return view;
}

std::string_view Definition::target(std::uint32_t branch, Op op) const {
  const auto view = own_view(branch);
  if (phase_of(op) == Phase::first) return view.first;
  return op == ops_of(mode()).rollback ? view.rollback : view.commit;
}

bool Definition::is_query(std::uint32_t branch) const {
  return (step_flags(branch) & kStepQuery) != 0;
}

// The back-check is the last branch of the request. No search is needed, unless steps were edited.
std::optional<std::uint32_t> Definition::query() const {
  if (mode() == Mode::workflow) return 0;
  if (mode() != Mode::msg) return std::nullopt;
  for (auto branch = branch_count(); branch-- > 0;) {
    if (is_query(branch)) return branch;
    if (step_at(branch) < asked_bytes_) return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> Definition::parent(std::uint32_t branch) const {
  if ((step_flags(branch) & kStepParent) == 0) return std::nullopt;
  return parts(branch).parent;
}

std::optional<std::uint32_t> Definition::source(std::uint32_t branch) const {
  return is_edited(branch) ? std::nullopt : parent(branch);
}

base::BranchId Definition::branch_id(std::uint32_t branch) const {
  if (const auto own = own_branch_id(branch); !own.empty()) return base::BranchId(own);
  return is_query(branch) ? base::BranchId::query() : base::BranchId(branch);
}

std::string_view Definition::own_branch_id(std::uint32_t branch) const {
  return (step_flags(branch) & kStepBranchId) == 0 ? std::string_view() : parts(branch).branch_id;
}

std::optional<std::string> Definition::taken_branch_id(std::string_view steps) const {
  ByteReader in(steps);
  const auto own = StepParts::read(in, in.u8(), nullptr).branch_id;
  if (own.empty() && !has_own_branch_ids_) return std::nullopt;  // numbers alone always differ
  const auto added = own.empty() ? base::BranchId(branch_count()) : base::BranchId(own);
  for (std::uint32_t i = 0; i < branch_count(); ++i) {
    if (branch_id(i).view() == added.view()) return std::string(added.view());
  }
  return std::nullopt;
}

Graph Definition::graph() const {
  Graph graph;
  if (shape() != Shape::graph) return graph;
  graph.resize(step_count_);
  ByteReader in(bytes().substr(orders_at_));
  for (auto& waits_for : graph) {
    waits_for.resize(in.varint32());
    for (auto& branch : waits_for) branch = in.varint32();
  }
  return graph;
}

namespace {

constexpr std::size_t kFlagsAt = 3;

bool has(std::string_view bytes, std::uint8_t flag) {
  return (static_cast<std::uint8_t>(bytes[kFlagsAt]) & flag) != 0;
}

}  // namespace

Millis Definition::delay() const { return has(bytes_, kDelay) ? head().delay : Millis{0}; }

std::optional<Millis> Definition::timeout_to_fail() const {
  if (!has(bytes_, kTimeoutToFail)) return std::nullopt;
  return head().timeout_to_fail;
}

std::optional<Millis> Definition::request_timeout(std::uint32_t branch) const {
  const auto flags = step_flags(branch);
  if (const auto from = source(branch)) return request_timeout(*from);
  if (flags & kStepRequestTimeout) return parts(branch).request_timeout;
  if (!has(bytes_, kRequestTimeout)) return std::nullopt;
  return head().request_timeout;
}

std::optional<Retry> Definition::retry(std::uint32_t branch) const {
  const auto flags = step_flags(branch);
  if (const auto from = source(branch)) return retry(*from);
  if (flags & kStepRetry) return parts(branch).retry;
  if (!has(bytes_, kRetry)) return std::nullopt;
  return head().retry;
}

std::vector<Header> Definition::headers(std::uint32_t branch) const {
  const auto flags = step_flags(branch);
  if (const auto from = source(branch)) return headers(*from);
  std::vector<Header> headers;
  if (!is_edited(branch) && has(bytes_, kHeaders)) headers = head().headers;
  if (flags & kStepHeaders) {
    ByteReader in(std::string_view(bytes_).substr(step_at(branch) + 1));
    StepParts::read(in, flags, &headers);
  }
  return headers;
}

std::string_view Definition::custom_data() const {
  return has(bytes_, kCustomData) ? head().custom_data : std::string_view();
}

std::string_view Definition::trace_parent() const {
  return has(bytes_, kTraceParent) ? head().trace_parent : std::string_view();
}

// The bytes of the same draft without a traceparent.
std::string Definition::untraced() const {
  std::string out(bytes());
  const auto text = head().trace_parent;
  std::string field;
  base::put_string(field, text);
  const auto end = static_cast<std::size_t>(text.data() + text.size() - bytes_.data());
  out.erase(end - field.size(), field.size());
  out[kFlagsAt] = static_cast<char>(out[kFlagsAt] & ~kTraceParent);
  return out;
}

bool Definition::is_same_as(const Definition& other) const {
  if (bytes() == other.bytes()) return true;
  const bool traced = has(bytes_, kTraceParent);
  const bool other_traced = has(other.bytes_, kTraceParent);
  if (!traced && !other_traced) return false;
  return (traced ? untraced() : std::string(bytes())) ==
         (other_traced ? other.untraced() : std::string(other.bytes()));
}

std::uint64_t Definition::hash() const {
  return has(bytes_, kTraceParent) ? base::hash64(untraced()) : base::hash64(bytes());
}

bool Definition::has_hash(std::uint64_t stored) const {
  return stored == hash() || stored == base::hash64(bytes());
}

std::string_view Definition::name() const {
  return has(bytes_, kName) ? head().name : std::string_view();
}

namespace {

void put_step(std::string& out, const DraftStep& step) {
  const auto& options = *step.options;
  const auto flags =
      (options.request_timeout ? kStepRequestTimeout : 0) | (options.retry ? kStepRetry : 0) |
      (options.headers.empty() ? 0 : kStepHeaders) | (step.commit.empty() ? 0 : kStepCommit) |
      (step.is_query ? kStepQuery : 0) | (step.branch_id.empty() ? 0 : kStepBranchId);
  base::put_u8(out, static_cast<std::uint8_t>(flags));
  base::put_string(out, step.first);
  base::put_string(out, step.rollback);
  base::put_string(out, step.payload);
  if (options.request_timeout)
    base::put_varint(out, static_cast<std::uint64_t>(options.request_timeout->count()));
  if (options.retry) put_retry(out, *options.retry);
  if (!options.headers.empty()) put_headers(out, options.headers);
  if (!step.commit.empty()) base::put_string(out, step.commit);
  if (!step.branch_id.empty()) base::put_string(out, step.branch_id);
}

// Returns the offset of the gid.
std::size_t put_head(std::string& out, const Draft& draft, std::string_view gid) {
  const auto& settings = *draft.settings;
  const auto flags =
      (draft.delay.count() > 0 ? kDelay : 0) | (settings.timeout_to_fail ? kTimeoutToFail : 0) |
      (settings.request_timeout ? kRequestTimeout : 0) | (settings.retry ? kRetry : 0) |
      (settings.headers.empty() ? 0 : kHeaders) | (settings.custom_data.empty() ? 0 : kCustomData) |
      (base::trace_id_of(settings.trace_parent).empty() ? 0 : kTraceParent) |
      (draft.name.empty() ? 0 : kName);
  base::put_u8(out, kFormat);
  base::put_u8(out, static_cast<std::uint8_t>(draft.mode));
  base::put_u8(out, static_cast<std::uint8_t>(draft.shape));
  base::put_u8(out, static_cast<std::uint8_t>(flags));
  base::put_string(out, gid);
  const auto gid_at = out.size() - gid.size();
  if (flags & kDelay) base::put_varint(out, static_cast<std::uint64_t>(draft.delay.count()));
  if (flags & kTimeoutToFail)
    base::put_varint(out, static_cast<std::uint64_t>(settings.timeout_to_fail->count()));
  if (flags & kRequestTimeout)
    base::put_varint(out, static_cast<std::uint64_t>(settings.request_timeout->count()));
  if (flags & kRetry) put_retry(out, *settings.retry);
  if (flags & kHeaders) put_headers(out, settings.headers);
  if (flags & kCustomData) base::put_string(out, settings.custom_data);
  if (flags & kTraceParent) base::put_string(out, settings.trace_parent);
  if (flags & kName) base::put_string(out, draft.name);
  return gid_at;
}

// The bytes that a text takes with its length; some more for a long text.
std::size_t text_bytes(std::string_view text) { return text.size() + (text.size() < 128 ? 1 : 5); }

// The bytes that the definition takes if nothing but targets, payloads and custom data is set. It
// stays in memory as long as the transaction, so nothing is added for what is rarely there.
std::size_t plain_bytes(const Draft& draft, std::string_view gid) {
  const auto& custom_data = draft.settings->custom_data;
  std::size_t size = 4 + text_bytes(gid) + (draft.steps.size() < 128 ? 1 : 5);
  if (!custom_data.empty()) size += text_bytes(custom_data);
  for (const auto& step : draft.steps) {
    size += 1 + text_bytes(step.first) + text_bytes(step.rollback) + text_bytes(step.payload);
    if (!step.commit.empty()) size += text_bytes(step.commit);
  }
  return size;
}

}  // namespace

// Makes the same object that `parse` makes of the bytes.
Definition Definition::make(const Draft& draft, std::string_view gid, const Graph& graph) {
  Definition definition;
  auto& out = definition.bytes_;
  const auto at = [&out] { return static_cast<std::uint32_t>(out.size()); };
  std::vector<std::uint32_t> steps_at;
  steps_at.reserve(draft.steps.size());
  out.reserve(plain_bytes(draft, gid) + draft.steps.size() * sizeof(std::uint32_t));
  definition.gid_at_ = static_cast<std::uint32_t>(put_head(out, draft, gid));
  definition.gid_bytes_ = static_cast<std::uint32_t>(gid.size());
  base::put_varint(out, draft.steps.size());
  for (const auto& step : draft.steps) {
    steps_at.push_back(at());
    definition.has_own_branch_ids_ = definition.has_own_branch_ids_ || !step.branch_id.empty();
    put_step(out, step);
  }
  definition.orders_at_ = at();
  if (draft.shape == Shape::graph) {
    for (const auto& waits_for : graph) {
      base::put_varint(out, waits_for.size());
      for (const auto branch : waits_for) base::put_varint(out, branch);
    }
  }
  definition.asked_bytes_ = at();
  definition.append_offsets(steps_at);
  constexpr std::size_t kSlackMax = 32;
  if (out.capacity() - out.size() > kSlackMax) out.shrink_to_fit();
  return definition;
}

std::string Definition::encode_step(const DraftStep& step) {
  std::string out;
  put_step(out, step);
  return out;
}

std::string Definition::encode_edited(std::uint32_t branch, const StepView& view,
                                      const std::vector<Header>& headers) const {
  StepOptions options;
  options.request_timeout = request_timeout(branch);
  options.retry = retry(branch);
  options.headers = headers;
  std::string out = encode_step({.first = view.first,
                                 .commit = view.commit,
                                 .rollback = view.rollback,
                                 .payload = view.payload,
                                 .options = &options,
                                 .is_query = is_query(branch),
                                 .branch_id = own_branch_id(branch)});
  const auto of = parent(branch);
  out[0] = static_cast<char>(out[0] | kStepEdits | (of ? kStepParent : 0));
  if (of) base::put_varint(out, *of);  // such a branch has no id of its own
  base::put_varint(out, branch);
  return out;
}

std::string Definition::encode_subscriber(std::string_view target, std::uint32_t parent) {
  std::string out;
  base::put_u8(out, kStepParent);
  base::put_string(out, target);
  base::put_string(out, {});
  base::put_string(out, {});
  base::put_varint(out, parent);
  return out;
}

}  // namespace belay::core
