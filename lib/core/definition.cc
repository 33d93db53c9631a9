#include "core/definition.h"

#include <limits>

#include "base/bytes.h"
#include "base/hash.h"

// The bytes: format, mode, shape, flags, gid; then each optional field whose flag is set, in the
// flags' order; the number of steps and the steps (flags, forward, backward, payload, optional
// fields); for a graph, a list a step.
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
};
constexpr std::uint8_t kHeadFlags = 127;  // all that this version knows

enum StepFlag : std::uint8_t { kStepRequestTimeout = 1, kStepRetry = 2, kStepHeaders = 4 };
constexpr std::uint8_t kStepFlags = 7;

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

// Appends to `headers`, or only walks past if it is null.
void read_headers(ByteReader& in, std::vector<Header>* headers) {
  const auto count = in.varint();
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    const auto name = in.string();
    const auto value = in.string();
    if (headers != nullptr && in.ok()) headers->push_back({std::string(name), std::string(value)});
  }
}

struct StepTail {
  std::optional<Millis> request_timeout;
  std::optional<Retry> retry;
};

StepTail read_step_tail(ByteReader& in, std::uint8_t flags, std::vector<Header>* headers) {
  StepTail tail;
  if (flags & kStepRequestTimeout) tail.request_timeout = read_millis(in);
  if (flags & kStepRetry) tail.retry = read_retry(in);
  if (flags & kStepHeaders) read_headers(in, headers);
  return tail;
}

}  // namespace

struct Definition::Head {
  Millis delay{0};
  std::optional<Millis> timeout_to_fail;
  std::optional<Millis> request_timeout;
  std::optional<Retry> retry;
  std::vector<Header> headers;
  std::string_view custom_data;
  std::string_view trace_parent;

  static Head read(ByteReader& in, std::uint8_t flags) {
    Head head;
    if (flags & kDelay) head.delay = read_millis(in);
    if (flags & kTimeoutToFail) head.timeout_to_fail = read_millis(in);
    if (flags & kRequestTimeout) head.request_timeout = read_millis(in);
    if (flags & kRetry) head.retry = read_retry(in);
    if (flags & kHeaders) read_headers(in, &head.headers);
    if (flags & kCustomData) head.custom_data = in.string();
    if (flags & kTraceParent) head.trace_parent = in.string();
    return head;
  }
};

Result<Definition> Definition::parse(std::string bytes) {
  Definition definition;
  definition.bytes_ = std::move(bytes);
  ByteReader in(definition.bytes_);
  const auto format = in.u8();
  const auto mode = in.u8();
  const auto shape = in.u8();
  const auto flags = in.u8();
  const auto gid = in.string();
  if (in.ok() && format != kFormat) {
    return Error{ErrorCode::unsupported, "definition format " + std::to_string(format)};
  }
  if (mode > static_cast<std::uint8_t>(Mode::saga) ||
      shape > static_cast<std::uint8_t>(Shape::graph))
    in.fail();
  if ((flags & ~kHeadFlags) != 0) in.fail();
  definition.gid_bytes_ = static_cast<std::uint32_t>(gid.size());
  definition.gid_at_ = static_cast<std::uint32_t>(in.offset() - gid.size());
  Head::read(in, flags);
  const auto count = in.varint32();
  if (count > in.left()) in.fail();  // a step takes at least a byte: no reservation for a lie
  if (in.ok()) definition.step_at_.reserve(count);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    definition.step_at_.push_back(static_cast<std::uint32_t>(in.offset()));
    const auto step_flags = in.u8();
    if ((step_flags & ~kStepFlags) != 0) in.fail();
    in.string();
    in.string();
    in.string();
    read_step_tail(in, step_flags, nullptr);
  }
  definition.orders_at_ = static_cast<std::uint32_t>(in.offset());
  if (in.ok() && definition.shape() == Shape::graph) {
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
  return definition;
}

std::uint64_t Definition::hash() const { return base::hash64(bytes_); }

Mode Definition::mode() const { return static_cast<Mode>(bytes_[1]); }
Shape Definition::shape() const { return static_cast<Shape>(bytes_[2]); }
std::string_view Definition::gid() const {
  return std::string_view(bytes_).substr(gid_at_, gid_bytes_);
}
std::uint32_t Definition::branch_count() const {
  return static_cast<std::uint32_t>(step_at_.size());
}

Definition::Head Definition::head() const {
  ByteReader in(std::string_view(bytes_).substr(gid_at_ + gid_bytes_));
  return Head::read(in, static_cast<std::uint8_t>(bytes_[3]));
}

StepView Definition::step(std::uint32_t branch) const {
  ByteReader in(std::string_view(bytes_).substr(step_at_[branch] + 1));
  StepView step;
  step.forward = in.string();
  step.backward = in.string();
  step.payload = in.string();
  return step;
}

std::string_view Definition::target(std::uint32_t branch, Op op) const {
  const auto view = step(branch);
  return op == Op::action ? view.forward : view.backward;
}

Graph Definition::graph() const {
  Graph graph;
  if (shape() != Shape::graph) return graph;
  graph.resize(step_at_.size());
  ByteReader in(std::string_view(bytes_).substr(orders_at_));
  for (auto& waits_for : graph) {
    waits_for.resize(in.varint32());
    for (auto& branch : waits_for) branch = in.varint32();
  }
  return graph;
}

namespace {

bool has(std::string_view bytes, std::uint8_t flag) {
  return (static_cast<std::uint8_t>(bytes[3]) & flag) != 0;
}

}  // namespace

Millis Definition::delay() const { return has(bytes_, kDelay) ? head().delay : Millis{0}; }

std::optional<Millis> Definition::timeout_to_fail() const {
  if (!has(bytes_, kTimeoutToFail)) return std::nullopt;
  return head().timeout_to_fail;
}

std::optional<Millis> Definition::request_timeout(std::uint32_t branch) const {
  const auto flags = static_cast<std::uint8_t>(bytes_[step_at_[branch]]);
  if (flags & kStepRequestTimeout) {
    ByteReader in(std::string_view(bytes_).substr(step_at_[branch] + 1));
    for (int i = 0; i < 3; ++i) in.string();
    return read_step_tail(in, flags, nullptr).request_timeout;
  }
  if (!has(bytes_, kRequestTimeout)) return std::nullopt;
  return head().request_timeout;
}

std::optional<Retry> Definition::retry(std::uint32_t branch) const {
  const auto flags = static_cast<std::uint8_t>(bytes_[step_at_[branch]]);
  if (flags & kStepRetry) {
    ByteReader in(std::string_view(bytes_).substr(step_at_[branch] + 1));
    for (int i = 0; i < 3; ++i) in.string();
    return read_step_tail(in, flags, nullptr).retry;
  }
  if (!has(bytes_, kRetry)) return std::nullopt;
  return head().retry;
}

std::vector<Header> Definition::headers(std::uint32_t branch) const {
  std::vector<Header> headers;
  if (has(bytes_, kHeaders)) headers = head().headers;
  const auto flags = static_cast<std::uint8_t>(bytes_[step_at_[branch]]);
  if (flags & kStepHeaders) {
    ByteReader in(std::string_view(bytes_).substr(step_at_[branch] + 1));
    for (int i = 0; i < 3; ++i) in.string();
    read_step_tail(in, flags, &headers);
  }
  return headers;
}

std::string_view Definition::custom_data() const {
  return has(bytes_, kCustomData) ? head().custom_data : std::string_view();
}

std::string_view Definition::trace_parent() const {
  return has(bytes_, kTraceParent) ? head().trace_parent : std::string_view();
}

std::string Definition::encode(const Saga& saga, std::string_view gid, const Graph& graph) {
  std::string out;
  std::size_t size = 64 + gid.size() + saga.custom_data().size();
  for (const auto& step : saga.steps()) {
    size += 16 + step.action.size() + step.compensate.size() + step.payload.size();
  }
  out.reserve(size);
  const auto flags =
      (saga.delay().count() > 0 ? kDelay : 0) | (saga.timeout_to_fail() ? kTimeoutToFail : 0) |
      (saga.request_timeout() ? kRequestTimeout : 0) | (saga.retry() ? kRetry : 0) |
      (saga.headers().empty() ? 0 : kHeaders) | (saga.custom_data().empty() ? 0 : kCustomData) |
      (saga.trace_parent().empty() ? 0 : kTraceParent);
  const auto shape = !saga.orders().empty() ? Shape::graph
                     : saga.is_concurrent() ? Shape::concurrent
                                            : Shape::sequential;
  base::put_u8(out, kFormat);
  base::put_u8(out, static_cast<std::uint8_t>(Mode::saga));
  base::put_u8(out, static_cast<std::uint8_t>(shape));
  base::put_u8(out, static_cast<std::uint8_t>(flags));
  base::put_string(out, gid);
  if (flags & kDelay) base::put_varint(out, static_cast<std::uint64_t>(saga.delay().count()));
  if (flags & kTimeoutToFail)
    base::put_varint(out, static_cast<std::uint64_t>(saga.timeout_to_fail()->count()));
  if (flags & kRequestTimeout)
    base::put_varint(out, static_cast<std::uint64_t>(saga.request_timeout()->count()));
  if (flags & kRetry) put_retry(out, *saga.retry());
  if (flags & kHeaders) put_headers(out, saga.headers());
  if (flags & kCustomData) base::put_string(out, saga.custom_data());
  if (flags & kTraceParent) base::put_string(out, saga.trace_parent());
  base::put_varint(out, saga.steps().size());
  for (const auto& step : saga.steps()) {
    const auto& options = step.options;
    const auto step_flags = (options.request_timeout ? kStepRequestTimeout : 0) |
                            (options.retry ? kStepRetry : 0) |
                            (options.headers.empty() ? 0 : kStepHeaders);
    base::put_u8(out, static_cast<std::uint8_t>(step_flags));
    base::put_string(out, step.action);
    base::put_string(out, step.compensate);
    base::put_string(out, step.payload);
    if (options.request_timeout)
      base::put_varint(out, static_cast<std::uint64_t>(options.request_timeout->count()));
    if (options.retry) put_retry(out, *options.retry);
    if (!options.headers.empty()) put_headers(out, options.headers);
  }
  if (shape == Shape::graph) {
    for (const auto& waits_for : graph) {
      base::put_varint(out, waits_for.size());
      for (const auto branch : waits_for) base::put_varint(out, branch);
    }
  }
  return out;
}

}  // namespace belay::core
