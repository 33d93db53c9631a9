// Watches a service's health in Consul by blocking queries: an answer comes when the index has
// grown, or when the wait is over. As Consul's documentation asks, an index that goes back begins
// anew, and questions are not asked without a pause.
#include <string>
#include <utility>

#include "base/number.h"
#include "base/percent.h"
#include "names/backoff.h"
#include "names/consul_json.h"
#include "names/resolver.h"

namespace belay::names {
namespace {

constexpr std::uint32_t kWaitSeconds = 30;
constexpr std::uint64_t kSlackMillis = 5'000;  // for an answer beyond its wait
constexpr std::uint64_t kChangedPauseMillis = 100;
// After an answer with the same index: a server that does not wait is not asked all the time.
constexpr std::uint64_t kSamePauseMillis = 1'000;
constexpr std::size_t kReasonMax = 200;

class ConsulWatch final : public Watch {
 public:
  ConsulWatch(const Site& site, const Name& name, Listener listener)
      : site_(site), name_(name), listener_(std::move(listener)), next_(site.timers) {
    next_.set(0, [this] { ask(); });
  }

 private:
  std::string url() const;
  void ask();
  void on_answer(const HttpAnswer& answer);
  void fail(const std::string& why);
  std::uint32_t wait_s() const { return name_.wait_s == 0 ? kWaitSeconds : name_.wait_s; }

  const Site site_;
  const Name name_;
  const Listener listener_;
  std::uint64_t index_ = 0;  // 0: the answer comes at once
  Backoff backoff_;
  std::unique_ptr<HttpExchange> asking_;
  Alarm next_;
};

std::string ConsulWatch::url() const {
  std::string out = name_.origin(name_.places.front()) + "/v1/health/service/";
  base::append_percent_encoded(out, name_.name);
  out += "?passing=true";
  if (index_ != 0)
    out += "&index=" + std::to_string(index_) + "&wait=" + std::to_string(wait_s()) + 's';
  if (!name_.dc.empty()) base::append_percent_encoded(out += "&dc=", name_.dc);
  if (!name_.tag.empty()) base::append_percent_encoded(out += "&tag=", name_.tag);
  return out;
}

void ConsulWatch::ask() {
  HttpQuestion question{.url = url()};
  if (!name_.password.empty()) question.headers.emplace_back("X-Consul-Token", name_.password);
  // Consul adds up to a sixteenth of the wait, so that not all clients ask again at once.
  const auto wait_ms = index_ == 0 ? 0 : std::uint64_t{wait_s()} * 1000;
  question.timeout_ms = wait_ms + wait_ms / 16 + kSlackMillis;
  question.bytes_max = kAnswerBytesMax;
  asking_ = site_.http.ask(std::move(question), [this](const HttpAnswer& answer) {
    asking_.reset();
    on_answer(answer);
  });
  if (!asking_) fail("there is no memory for a question");
}

void ConsulWatch::on_answer(const HttpAnswer& answer) {
  if (!answer.error.empty()) return fail(answer.error);
  if (answer.status != 200) {
    return fail("HTTP " + std::to_string(answer.status) + ": " + answer.text.substr(0, kReasonMax));
  }
  auto endpoints = read_consul_health(answer.text);
  if (!endpoints) return fail("its answer cannot be read");
  backoff_.reset();
  const auto index = base::parse_number<std::uint64_t>(answer.index).value_or(0);
  const bool has_changed = index > index_;
  index_ = index < index_ ? 0 : index;
  next_.set(has_changed ? kChangedPauseMillis : kSamePauseMillis, [this] { ask(); });
  listener_.found(std::move(*endpoints));
}

void ConsulWatch::fail(const std::string& why) {
  index_ = 0;
  next_.set(backoff_.next(), [this] { ask(); });
  listener_.failed(text_of(name_.places.front()) + ": " + why);
}

}  // namespace

std::unique_ptr<Watch> watch_consul(const Site& site, const Name& name, Listener listener) {
  return std::make_unique<ConsulWatch>(site, name, std::move(listener));
}

}  // namespace belay::names
