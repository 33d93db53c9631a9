// Watches a prefix of etcd's keys through its JSON gateway.
//
//   begin ──► token ──► range ──► watch from the range's revision + 1
//     ▲        (if there is a user) ▲     │ a line: a key came, changed or is gone
//     │                             └─────┤ it ends, or its history is compacted
//     └── after a pause, the next host ───┘ a question fails
//
// A watch is silent as long as nothing changes, so a server that hangs looks like one at rest.
// Therefore the range is asked again every 15 seconds while the watch goes on; its answer replaces
// what is known.
#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "names/backoff.h"
#include "names/etcd_json.h"
#include "names/resolver.h"

namespace belay::names {
namespace {

constexpr std::size_t kEntriesMax = 2 * kEndpointsMax;  // some may have nothing for our protocol
// Keys and endpoints, with 64 bytes each for their bookkeeping: ten times what 256 servers take.
// 256 names may have as much each.
constexpr std::size_t kKnownBytesMax = 256 * 1024;
constexpr std::size_t kEachBytes = 64;
// A line that is longer ends the watch, and the next range has what it said. 256 names may have one
// each.
constexpr std::size_t kLineBytesMax = 64 * 1024;
constexpr std::uint64_t kAnswerMillis = 5'000;
constexpr std::uint64_t kCheckMillis = 15'000;
constexpr std::size_t kReasonBytesMax = 200;

class EtcdWatch final : public Watch {
 public:
  EtcdWatch(const Site& site, const Name& name, Listener listener)
      : site_(site),
        name_(name),
        listener_(std::move(listener)),
        prefix_(name.name + '/'),
        retry_(site.timers),
        check_(site.timers),
        lines_(site.timers) {
    retry_.set(0, [this] { begin(); });
  }

 private:
  struct Known {
    std::vector<Endpoint> endpoints;
    bool is_readable = true;
    std::size_t bytes = 0;
  };

  HttpQuestion question(std::string_view path, std::string body) const;
  void ask(HttpQuestion question, std::function<void(HttpAnswer)> done);
  void begin();
  void on_token(const HttpAnswer& answer);
  void range();
  void on_range(const HttpAnswer& answer, std::int64_t asked_at);
  void take_all(EtcdRange range);
  void take(EtcdEntry entry);
  void forget(const std::string& key);
  void watch();
  void on_part(std::string_view part);
  void read_lines();
  bool read_line(std::string_view line);
  void on_watch_ended(const HttpAnswer& answer);
  void range_soon();
  void tell();
  void fail(const std::string& why);
  static std::string why(const HttpAnswer& answer);

  const Site site_;
  const Name name_;
  const Listener listener_;
  const std::string prefix_;
  std::size_t place_ = 0;
  std::size_t failures_ = 0;  // in a row
  Backoff backoff_;
  Backoff watch_backoff_;  // a server may take questions and no watches
  std::string token_;
  bool needs_token_ = true;
  bool token_is_new_ = false;

  std::map<std::string, Known> known_;
  std::size_t bytes_ = 0;  // of `known_`
  std::int64_t revision_ = 0;
  bool has_more_ = false;
  std::size_t unreadable_ = 0;  // the last number that was logged

  std::unique_ptr<HttpExchange> asking_;
  std::unique_ptr<HttpExchange> watching_;
  std::string line_;
  bool line_is_too_long_ = false;
  Alarm retry_, check_, lines_;
};

HttpQuestion EtcdWatch::question(std::string_view path, std::string body) const {
  HttpQuestion out;
  out.url = name_.origin(name_.places[place_]).append(path);
  out.body = std::move(body);
  if (!token_.empty()) out.headers.emplace_back("Authorization", token_);
  out.timeout_ms = kAnswerMillis;
  out.bytes_max = kAnswerBytesMax;
  return out;
}

void EtcdWatch::ask(HttpQuestion question, std::function<void(HttpAnswer)> done) {
  asking_ = site_.http.ask(std::move(question), [this, done = std::move(done)](HttpAnswer answer) {
    asking_.reset();
    done(std::move(answer));
  });
  if (!asking_) fail("there is no memory for a question");
}

std::string EtcdWatch::why(const HttpAnswer& answer) {
  if (!answer.error.empty()) return answer.error;
  return "HTTP " + std::to_string(answer.status) + ": " + answer.text.substr(0, kReasonBytesMax);
}

void EtcdWatch::begin() {
  if (name_.user.empty() || !token_.empty() || !needs_token_) return range();
  ask(question("/v3/auth/authenticate", etcd_token_question(name_.user, name_.password)),
      [this](const HttpAnswer& answer) { on_token(answer); });
}

void EtcdWatch::on_token(const HttpAnswer& answer) {
  if (answer.text.find("authentication is not enabled") != std::string::npos) {
    needs_token_ = false;  // etcd's own clients go on without a token, too
    return range();
  }
  auto token =
      answer.error.empty() && answer.status == 200 ? read_etcd_token(answer.text) : std::nullopt;
  if (!token) return fail(why(answer));
  token_ = std::move(*token);
  token_is_new_ = true;
  range();
}

void EtcdWatch::range() {
  check_.clear();
  ask(question("/v3/kv/range", etcd_range_question(prefix_, kEntriesMax)),
      [this, asked_at = revision_](const HttpAnswer& answer) { on_range(answer, asked_at); });
}

void EtcdWatch::on_range(const HttpAnswer& answer, std::int64_t asked_at) {
  // Tokens end after some minutes.
  if (answer.status == 401 && !token_.empty() && !token_is_new_) {
    token_.clear();
    return begin();
  }
  if (!answer.error.empty() || answer.status != 200) return fail(why(answer));
  auto range = read_etcd_range(answer.text);
  if (!range) return fail("its answer cannot be read");
  failures_ = 0;
  backoff_.reset();
  token_is_new_ = false;
  check_.set(kCheckMillis, [this] { this->range(); });
  // A range is never older than the moment at which it was asked, unless the registry has lost
  // data and counts anew; but the watch may have been quicker than this answer.
  if (range->revision >= revision_ || range->revision < asked_at) {
    if (range->revision < asked_at) watching_.reset();
    take_all(std::move(*range));
  }
  tell();
  if (!watching_) watch();
}

void EtcdWatch::take_all(EtcdRange range) {
  known_.clear();
  bytes_ = 0;
  revision_ = range.revision;
  has_more_ = range.has_more;
  for (auto& entry : range.entries) take(std::move(entry));
}

void EtcdWatch::forget(const std::string& key) {
  const auto found = known_.find(key);
  if (found == known_.end()) return;
  bytes_ -= found->second.bytes;
  known_.erase(found);
}

void EtcdWatch::take(EtcdEntry entry) {
  if (!entry.key.starts_with(prefix_)) return;
  forget(entry.key);
  if (entry.is_gone) return;
  auto endpoints = read_registered(entry.value, name_.protocol);
  Known known;
  known.is_readable = endpoints.has_value();
  known.endpoints = std::move(endpoints).value_or(std::vector<Endpoint>());
  known.bytes = kEachBytes + entry.key.size();
  for (const auto& endpoint : known.endpoints) known.bytes += kEachBytes + endpoint.host.size();
  if (known_.size() >= kEntriesMax || bytes_ + known.bytes > kKnownBytesMax) {
    has_more_ = true;
    return;
  }
  bytes_ += known.bytes;
  known_.emplace(std::move(entry.key), std::move(known));
}

void EtcdWatch::tell() {
  std::vector<Endpoint> all;
  std::size_t unreadable = 0;
  const std::string* first = nullptr;
  for (const auto& [key, known] : known_) {
    all.insert(all.end(), known.endpoints.begin(), known.endpoints.end());
    if (known.is_readable) continue;
    if (++unreadable == 1) first = &key;
  }
  if (unreadable != unreadable_ && unreadable != 0) {
    site_.log.warning("{}: {} entries are ignored, as they hold no endpoint; the first one is '{}'",
                      name_.shown(), unreadable, *first);
  }
  unreadable_ = unreadable;
  listener_.found(std::move(all));
}

void EtcdWatch::watch() {
  auto asked = question("/v3/watch", etcd_watch_question(prefix_, revision_ + 1));
  asked.timeout_ms = 0;
  asked.on_part = [this](std::string_view part) { on_part(part); };
  line_.clear();
  line_is_too_long_ = false;
  watching_ = site_.http.ask(std::move(asked),
                             [this](const HttpAnswer& answer) { on_watch_ended(answer); });
  if (!watching_) fail("there is no memory for a question");
}

// Within a call of the HTTP library's, in which nothing may be asked or ended.
void EtcdWatch::on_part(std::string_view part) {
  line_is_too_long_ = line_is_too_long_ || line_.size() + part.size() > kLineBytesMax;
  if (!line_is_too_long_) line_ += part;
  lines_.set(0, [this] { read_lines(); });
}

void EtcdWatch::read_lines() {
  std::string_view rest = line_;
  bool has_news = false;
  for (auto end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    if (!read_line(rest.substr(0, end))) return range_soon();
    has_news = true;
    rest.remove_prefix(end + 1);
  }
  if (has_news) watch_backoff_.reset();
  line_.erase(0, line_.size() - rest.size());
  if (line_is_too_long_) return range_soon();
  if (has_news) tell();
}

// False: the watch has ended, or must.
bool EtcdWatch::read_line(std::string_view line) {
  auto news = read_etcd_news(line);
  if (!news || news->is_canceled) {
    site_.log.debug("{}: the watch begins anew: {}", name_.shown(),
                    news ? news->why : "a line cannot be read");
    return false;
  }
  // It has lost data, and what this watch waits for may come in a year.
  if (news->revision != 0 && news->revision < revision_) return false;
  auto newest = revision_;
  for (auto& entry : news->entries) {
    newest = std::max(newest, entry.revision);
    // The others were in the range.
    if (entry.revision <= revision_) continue;
    if (entry.is_gone && has_more_) check_.set(0, [this] { range(); });
    take(std::move(entry));
  }
  revision_ = newest;
  return true;
}

void EtcdWatch::range_soon() {
  lines_.clear();
  watching_.reset();
  asking_.reset();
  check_.set(watch_backoff_.next(), [this] { range(); });
}

// Whether the server is there is seen by the range.
void EtcdWatch::on_watch_ended(const HttpAnswer& answer) {
  site_.log.debug("{}: the watch has ended: {}", name_.shown(), why(answer));
  range_soon();
}

// Another host may know: it counts only when none could be asked.
void EtcdWatch::fail(const std::string& reason) {
  lines_.clear();
  check_.clear();
  watching_.reset();
  asking_.reset();
  token_.clear();
  needs_token_ = true;
  const auto asked = text_of(name_.places[place_]);
  place_ = (place_ + 1) % name_.places.size();
  const bool is_last = ++failures_ % name_.places.size() == 0;
  retry_.set(is_last ? backoff_.next() : 0, [this] { begin(); });
  if (is_last || failures_ > name_.places.size()) listener_.failed(asked + ": " + reason);
}

}  // namespace

std::unique_ptr<Watch> watch_etcd(const Site& site, const Name& name, Listener listener) {
  return std::make_unique<EtcdWatch>(site, name, std::move(listener));
}

}  // namespace belay::names
