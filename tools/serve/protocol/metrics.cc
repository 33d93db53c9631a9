#include "serve/protocol/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <sstream>
#include <utility>

#include "base/ascii.h"
#include "base/mutex.h"

namespace belay::protocol {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Families = std::vector<MetricFamily>;

constexpr std::size_t kFiguresMax = 100;  // of hosts, of names
constexpr std::size_t kApisMax = 64;
constexpr std::string_view kOther = "other";
// Of the names of methods; in the metrics it is a label of its own.
constexpr std::string_view kGrpcPrefix = "grpc-";

ClientMetric metric_of(MetricType type, double value, std::vector<ClientMetric::Label> labels) {
  ClientMetric metric;
  metric.label = std::move(labels);
  (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  return metric;
}

template <class Number>
void add(Families& families, MetricType type, const char* name, const char* help, Number value) {
  families.push_back({name, help, type, {metric_of(type, static_cast<double>(value), {})}});
}

template <class Number>
void total(Families& families, const char* name, const char* help, Number value) {
  add(families, MetricType::Counter, name, help, value);
}

template <class Number>
void now(Families& families, const char* name, const char* help, Number value) {
  add(families, MetricType::Gauge, name, help, value);
}

double seconds(std::uint64_t ticks, double per_second) {
  return static_cast<double>(ticks) / per_second;
}

void add_transactions(Families& families, const Counters& counters) {
  now(families, "belay_transactions_live", "Unfinished transactions.", counters.live);
  now(families, "belay_transactions_stuck", "Unfinished ones whose branch does not answer.",
      counters.stuck);
  now(families, "belay_transactions_live_bytes", "What transactions in memory take.",
      counters.live_bytes);
  now(families, "belay_submits_queued", "Submits handed in and not yet decided.", counters.queued);
  now(families, "belay_submits_queued_bytes", "What they take.", counters.queued_bytes);
  total(families, "belay_transactions_submitted_total", "Submits accepted.", counters.submitted);
  total(families, "belay_submits_refused_total", "Submits answered with an error.",
        counters.refused);
  MetricFamily finished{"belay_transactions_finished_total",
                        "Transactions by their final status.",
                        MetricType::Counter,
                        {}};
  for (const auto& [status, value] :
       {std::pair{"succeed", counters.succeeded}, std::pair{"failed", counters.failed}}) {
    finished.metric.push_back(
        metric_of(finished.type, static_cast<double>(value), {{"status", status}}));
  }
  families.push_back(std::move(finished));
}

void add_calls(Families& families, const Counters& counters) {
  now(families, "belay_calls_in_flight", "Calls of branches that have not answered yet.",
      counters.calls_in_flight);
  now(families, "belay_calls_waiting", "Calls held back by a limit.", counters.calls_waiting);
  total(families, "belay_calls_total", "Calls of branches.", counters.calls);
  MetricFamily answered{"belay_calls_answered_total",
                        "Calls that ended, by what they said.",
                        MetricType::Counter,
                        {}};
  for (const auto& [outcome, value] :
       {std::pair{"success", counters.calls_success}, std::pair{"failure", counters.calls_failure},
        std::pair{"ongoing", counters.calls_ongoing},
        std::pair{"unknown", counters.calls_unknown}}) {
    answered.metric.push_back(
        metric_of(answered.type, static_cast<double>(value), {{"outcome", outcome}}));
  }
  families.push_back(std::move(answered));
  total(families, "belay_shortages_total",
        "Calls that the system had no descriptor or memory for; they are made again.",
        counters.shortages);
  now(families, "belay_due_lag_seconds",
      "How late a due wake-up was noticed, the largest of the last seconds.",
      seconds(counters.due_lag_ms, 1e3));
}

void add_storage(Families& families, const Counters& counters) {
  now(families, "belay_storage_ok", "1 while the disk takes what is written, else 0.",
      counters.storage_ok ? 1 : 0);
  now(families, "belay_file_bytes", "Size of the state file.", counters.file_bytes);
  now(families, "belay_wal_bytes", "Size of its write-ahead log.", counters.wal_bytes);
  now(families, "belay_log_bytes", "In the log and not yet folded into rows.", counters.log_bytes);
  total(families, "belay_commits_total", "Batches on disk.", counters.commits);
  total(families, "belay_records_total", "Records in them.", counters.records);
  total(families, "belay_log_bytes_written_total", "Bytes of those batches.",
        counters.log_bytes_written);
  total(families, "belay_row_bytes_written_total", "Bytes of transactions' rows.",
        counters.row_bytes_written);
  total(families, "belay_storage_failures_total", "Commits that the disk refused.",
        counters.storage_failures);
  total(families, "belay_commit_seconds_total", "Time that commits took.",
        seconds(counters.commit_us, 1e6));
  total(families, "belay_sync_seconds_total", "Of that, writing the pages and syncing.",
        seconds(counters.sync_us, 1e6));
  now(families, "belay_commit_seconds_max", "The slowest commit of the last seconds.",
      seconds(counters.commit_us_max, 1e6));
  now(families, "belay_batch_records_max", "The largest batch of the last seconds.",
      counters.batch_records_max);
}

void add_server(Families& families, const ServerFigures& figures) {
  now(families, "belay_http_connections", "Open connections.", figures.connections);
  now(families, "belay_http_requests_in_flight", "Requests not answered yet.",
      figures.requests_in_flight);
  total(families, "belay_http_requests_total", "Complete requests.", figures.requests);
  total(families, "belay_http_refused_total",
        "Requests beyond a limit, and heads that are no HTTP.", figures.refused);
  now(families, "belay_grpc_connections", "Open connections of gRPC.", figures.grpc_connections);
  now(families, "belay_grpc_requests_in_flight", "Requests of gRPC not answered yet.",
      figures.grpc_requests_in_flight);
  total(families, "belay_grpc_requests_total", "Complete requests of gRPC.", figures.grpc_requests);
  total(families, "belay_grpc_refused_total", "Requests and connections of gRPC beyond a limit.",
        figures.grpc_refused);
  total(families, "belay_alerts_sent_total", "Alerts that the webhook took.", figures.alerts_sent);
  total(families, "belay_alerts_failed_total", "Posts that it did not take.",
        figures.alerts_failed);
  total(families, "belay_alerts_dropped_total", "Alerts given up after several tries.",
        figures.alerts_dropped);
  total(families, "belay_log_lines_dropped_total", "Lines of the log that nobody read in time.",
        figures.log_lines_dropped);
  total(families, "belay_http_shortages_total",
        "Connections and requests that no descriptor or memory was left for.", figures.shortages);
  MetricFamily denied{"belay_http_denied_total",
                      "Requests denied because of who asked, by reason.",
                      MetricType::Counter,
                      {}};
  for (const auto& figure : figures.denied) {
    denied.metric.push_back(
        metric_of(denied.type, static_cast<double>(figure.count),
                  {{"status", std::to_string(figure.status)}, {"reason", figure.reason}}));
  }
  families.push_back(std::move(denied));
}

// So that alert rules need not know the options.
void add_limits(Families& families, const Limits& limits) {
  now(families, "belay_transactions_live_max", "The most unfinished transactions that are taken.",
      limits.live_transactions_max);
  now(families, "belay_transactions_live_bytes_max", "The most that they may take.",
      limits.live_bytes_max);
  now(families, "belay_submits_queued_max", "The most submits that may be queued.",
      limits.queued_submits_max);
  now(families, "belay_submits_queued_bytes_max", "The most that they may take.",
      limits.queued_bytes_max);
}

void add_process(Families& families, const ServerFigures& figures) {
  const auto& process = figures.process;
  families.push_back({"belay_build_info",
                      "1; the labels say what runs.",
                      MetricType::Gauge,
                      {metric_of(MetricType::Gauge, 1, {{"version", figures.version}})}});
  total(families, "process_cpu_seconds_total", "User and system CPU time.", process.cpu_seconds);
  now(families, "process_start_time_seconds", "When it began, since the epoch.",
      process.start_seconds);
  now(families, "process_resident_memory_bytes", "Memory in use.", process.resident_bytes);
  now(families, "process_virtual_memory_bytes", "Address space.", process.virtual_bytes);
  now(families, "process_open_fds", "Open descriptors.", process.open_files);
  now(families, "process_max_fds", "Their limit.", process.open_files_max);
}

void add_up(HostFigures& into, const HostFigures& host) {
  into.in_flight += host.in_flight;
  into.success += host.success;
  into.failure += host.failure;
  into.ongoing += host.ongoing;
  into.unknown += host.unknown;
  into.no_connection += host.no_connection;
  into.breaker_opened += host.breaker_opened;
  if (host.breaker == BreakerState::open) into.breaker = host.breaker;
}

// The list is as old as its oldest part.
void add_up(NameFigures& into, const NameFigures& name) {
  into.endpoints += name.endpoints;
  into.stale_for = std::max(into.stale_for, name.stale_for);
  into.lists += name.lists;
  into.failures += name.failures;
}

template <class Figures>
std::vector<Figures> bounded(const std::vector<Figures>& all, std::string Figures::*key) {
  if (all.size() <= kFiguresMax) return all;
  std::vector<Figures> result(all.begin(), all.begin() + kFiguresMax);
  Figures rest;
  rest.*key = kOther;
  for (std::size_t i = kFiguresMax; i < all.size(); ++i) add_up(rest, all[i]);
  result.push_back(std::move(rest));
  return result;
}

// Two series with the same labels would make all metrics unreadable.
std::vector<NameFigures> joined(const std::vector<NameFigures>& names) {
  std::vector<NameFigures> result;
  for (const auto& name : names) {
    if (result.empty() || result.back().name != name.name)
      result.push_back(name);
    else
      add_up(result.back(), name);
  }
  return result;
}

void add_hosts(Families& families, const std::vector<HostFigures>& hosts) {
  MetricFamily calls{
      "belay_host_calls_total", "Calls by host and outcome.", MetricType::Counter, {}};
  MetricFamily in_flight{
      "belay_host_calls_in_flight", "Calls not answered yet, by host.", MetricType::Gauge, {}};
  MetricFamily breaker{"belay_host_breaker_state",
                       "The host's circuit breaker: 0 closed, 1 open, 2 half-open.",
                       MetricType::Gauge,
                       {}};
  MetricFamily opened{"belay_host_breaker_opened_total",
                      "Times the breaker opened, by host.",
                      MetricType::Counter,
                      {}};
  for (const auto& host : bounded(hosts, &HostFigures::host)) {
    for (const auto& [outcome, value] :
         {std::pair{"success", host.success}, std::pair{"failure", host.failure},
          std::pair{"ongoing", host.ongoing}, std::pair{"unknown", host.unknown}}) {
      calls.metric.push_back(metric_of(calls.type, static_cast<double>(value),
                                       {{"host", host.host}, {"outcome", outcome}}));
    }
    in_flight.metric.push_back(
        metric_of(in_flight.type, static_cast<double>(host.in_flight), {{"host", host.host}}));
    breaker.metric.push_back(metric_of(
        breaker.type, static_cast<double>(static_cast<int>(host.breaker)), {{"host", host.host}}));
    opened.metric.push_back(
        metric_of(opened.type, static_cast<double>(host.breaker_opened), {{"host", host.host}}));
  }
  for (auto* family : {&calls, &in_flight, &breaker, &opened}) {
    families.push_back(std::move(*family));
  }
}

void add_names(Families& families, const std::vector<NameFigures>& names) {
  MetricFamily endpoints{
      "belay_name_endpoints", "Endpoints of a service, by name.", MetricType::Gauge, {}};
  MetricFamily stale{"belay_name_stale_seconds",
                     "How long its registry could not be asked; 0: the list is current.",
                     MetricType::Gauge,
                     {}};
  MetricFamily lookups{"belay_name_lookups_total",
                       "Lists that came from its registry, and errors instead of one.",
                       MetricType::Counter,
                       {}};
  for (const auto& name : bounded(joined(names), &NameFigures::name)) {
    endpoints.metric.push_back(
        metric_of(endpoints.type, static_cast<double>(name.endpoints), {{"name", name.name}}));
    stale.metric.push_back(metric_of(stale.type, static_cast<double>(name.stale_for.count()) / 1e3,
                                     {{"name", name.name}}));
    for (const auto& [result, value] :
         {std::pair{"list", name.lists}, std::pair{"error", name.failures}}) {
      lookups.metric.push_back(metric_of(lookups.type, static_cast<double>(value),
                                         {{"name", name.name}, {"result", result}}));
    }
  }
  for (auto* family : {&endpoints, &stale, &lookups}) families.push_back(std::move(*family));
}

}  // namespace

std::uint64_t Durations::count() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

std::optional<double> Durations::quantile(double part) const {
  const auto all = static_cast<double>(count());
  if (all == 0) return std::nullopt;
  const auto wanted = part * all;
  double before = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const auto here = static_cast<double>(counts[i]);
    const auto lower = i == 0 ? 0 : bounds[i - 1];
    if (here > 0 && before + here >= wanted)
      return lower + (bounds[i] - lower) * (wanted - before) / here;
    before += here;
  }
  return bounds.back();
}

class Metrics::Impl {
 public:
  struct Api {
    prometheus::Counter* ok;
    prometheus::Counter* fail;
    prometheus::Histogram* duration;
  };

  Api& api_of(std::string_view name) BELAY_REQUIRES(mutex) {
    const auto found = apis.find(name);
    if (found != apis.end()) return found->second;
    const bool full = apis.size() >= kApisMax;
    const bool is_grpc = !full && name.starts_with(kGrpcPrefix);
    const std::string type = is_grpc ? "grpc" : "http";
    const auto label = base::lower(full      ? kOther
                                   : is_grpc ? name.substr(kGrpcPrefix.size())
                                             : name);
    const auto counter = [&](const char* status) {
      return &requests.Add({{"type", type}, {"api", label}, {"status", status}});
    };
    const Api api{counter("ok"), counter("fail"),
                  &durations.Add({{"type", type}, {"api", label}}, buckets)};
    return apis.emplace(full ? std::string(kOther) : std::string(name), api).first->second;
  }

  Durations durations_of(std::span<const std::string_view> names) BELAY_REQUIRES(mutex) {
    Durations all{buckets, std::vector<std::uint64_t>(buckets.size() + 1)};
    for (const auto name : names) {
      const auto found = apis.find(name);
      if (found == apis.end()) continue;
      std::uint64_t before = 0;  // the library's counts include those of all smaller buckets
      const auto collected = found->second.duration->Collect().histogram.bucket;
      for (std::size_t i = 0; i < collected.size() && i < all.counts.size(); ++i) {
        all.counts[i] += collected[i].cumulative_count - before;
        before = collected[i].cumulative_count;
      }
    }
    return all;
  }

  const prometheus::Histogram::BucketBoundaries buckets{.001, .0025, .005, .01, .025, .05, .1,
                                                        .25,  .5,    1,    2.5, 5,    10};
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests = prometheus::BuildCounter()
                                                          .Name("dtm_server_process_total")
                                                          .Help("Requests by route and success.")
                                                          .Register(registry);
  prometheus::Family<prometheus::Histogram>& durations =
      prometheus::BuildHistogram()
          .Name("dtm_server_response_duration")
          .Help("Seconds from a request to its answer, by route.")
          .Register(registry);
  base::Mutex mutex;
  std::map<std::string, Api, std::less<>> apis BELAY_GUARDED_BY(mutex);
  std::function<ServerFigures()> read_server BELAY_GUARDED_BY(mutex);
};

Metrics::Metrics() : impl_(std::make_unique<Impl>()) {}
Metrics::~Metrics() = default;

void Metrics::count_request(std::string_view api, int status, double seconds) {
  const base::Lock lock(impl_->mutex);
  auto& counted = impl_->api_of(api);
  (status < 400 ? counted.ok : counted.fail)->Increment();
  counted.duration->Observe(seconds);
}

Durations Metrics::durations(std::span<const std::string_view> apis) const {
  const base::Lock lock(impl_->mutex);
  return impl_->durations_of(apis);
}

void Metrics::read_server(std::function<ServerFigures()> read) {
  const base::Lock lock(impl_->mutex);
  impl_->read_server = std::move(read);
}

std::string Metrics::render(const Moment& moment) {
  auto families = impl_->registry.Collect();
  std::function<ServerFigures()> read;
  {
    const base::Lock lock(impl_->mutex);
    read = impl_->read_server;
  }
  add_transactions(families, moment.counters);
  if (moment.oldest_seconds) {
    now(families, "belay_oldest_unfinished_seconds",
        "Age of the oldest unfinished transaction, some seconds behind; 0: there is none.",
        *moment.oldest_seconds);
  }
  add_calls(families, moment.counters);
  add_storage(families, moment.counters);
  add_hosts(families, moment.hosts);
  add_names(families, moment.names);
  if (read) {
    const auto figures = read();
    add_server(families, figures);
    add_limits(families, figures.limits);
    add_process(families, figures);
  }
  std::ostringstream text;
  text.precision(15);
  prometheus::TextSerializer().Serialize(text, families);
  return text.str();
}

}  // namespace belay::protocol
