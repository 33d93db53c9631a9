#include "api/impl.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "api/posted_body.h"
#include "api/request_body.h"
#include "api/targets.h"
#include "api/waiting.h"
#include "base/gid.h"
#include "base/mutex.h"
#include "base/quiet_signals.h"
#include "base/random.h"
#include "base/spans.h"
#include "core/definition.h"
#include "core/draft.h"
#include "store/journal.h"

namespace belay {
namespace {

// Logs what the operator must see at a start: which file it is, and whether the file is
// unexpectedly empty.
void tell_of_file(const base::Log& log, const store::FileFacts& file, std::uint32_t mode) {
  if ((file.mode & 0066U & ~mode) != 0) {
    log.warning(
        "others may read or write {}: its mode is {:04o}; chmod {:o} it, its -wal, -shm "
        "and -lock",
        file.path, file.mode, mode);
  }
  if (file.is_new) return log.info("new state file {}", file.path);
  const bool uncounted = file.kept > store::kKeptCounted;
  log.info("opened {}: {} unfinished, {}{} kept, schema {}{}", file.path, file.unfinished,
           uncounted ? "more than " : "", uncounted ? store::kKeptCounted : file.kept, file.schema,
           file.schema_before == file.schema ? "" : fmt::format(", was {}", file.schema_before));
  if (file.returns_pages) return;
  log.warning(
      "deleted history does not make {} smaller, since its auto_vacuum is not INCREMENTAL; to "
      "change that, with no engine on it: sqlite3 {} 'PRAGMA auto_vacuum=INCREMENTAL; VACUUM'",
      file.path, file.path);
}

constexpr std::uint64_t kProgressEvery = 100'000;
constexpr std::uint32_t kHastenedMax = 10'000;
constexpr Millis kLaterThanMax = 100 * base::kYear;  // beyond any wake-up
constexpr std::uint64_t kTellEveryUs = 5'000'000;

// Logs the progress every few seconds; if the check takes less, nothing is logged.
std::function<void(unsigned)> check_teller(const Options& options, const std::string& path) {
  return [log = base::Log(options.log, options.log_user, options.log_level), path,
          told = loop::monotonic_us()](unsigned percent) mutable {
    const auto now = loop::monotonic_us();
    if (now - told < kTellEveryUs) return;
    told = now;
    log.info("checking {}: {} %", path, percent);
  };
}

}  // namespace

Engine::Impl::Impl(const Options& options, std::unique_ptr<loop::Loop> loop,
                   std::unique_ptr<api::NameService> names, std::unique_ptr<hook::Hooks> hooks,
                   std::unique_ptr<store::Journal> journal)
    : options_(options),
      log_(options.log, options.log_user, options.log_level),
      loop_(std::move(loop)),
      mailbox_(std::make_shared<api::Mailbox>([this] { loop_->wake(); })),
      handlers_(options.limits, mailbox_, log_,
                [this] { loop_->post([this] { engine_.lane_opened(api::Handlers::kBlocking); }); }),
      names_(std::move(names)),
      hooks_(std::move(hooks)),
      callers_(handlers_, *hooks_),
      store_(std::make_unique<store::StoreThread>(
          std::move(journal),
          [this](std::function<void()> function) { loop_->post(std::move(function)); },
          store::StoreEvents{[this](const Error& error) { engine_.doubt_storage(error); },
                             [this] { engine_.look_for_posted(); },
                             [this](ports::PostedRequest& request) {
                               api::read_body(request, options_.limits, *hooks_);
                             }})),
      engine_(options_, {*loop_, *loop_, callers_, *store_}, {}, log_) {}

Engine::Impl::~Impl() {
  mailbox_->shut();
  loop_->join();
}

Result<std::shared_ptr<Engine::Impl>> Engine::Impl::open(std::string_view path,
                                                         const Options& options) {
  BELAY_TRY(core::check_options(options));
  if (!base::watch_forks()) return Error{ErrorCode::resources, "no memory to watch for forks"};
  auto names = api::NameService::make(options);
  if (!names) return names.error();
  auto hooks = hook::Hooks::make(options.hooks, base::random64(), names->get());
  if (!hooks) return hooks.error();
  auto loop = loop::Loop::make(options.loop);
  if (!loop) return loop.error();
  // The file comes last: if anything before fails, the file stays as it was.
  store::JournalConfig config;
  config.path = path;
  config.stuck_after = options.stuck_after;
  config.now_us = &loop::monotonic_us;
  config.file_mode = options.file_mode;
  config.must_exist = options.must_exist;
  if (options.check_at_open) config.check_progress = check_teller(options, config.path);
  auto journal = store::Journal::open(config);
  if (!journal) return journal.error();
  return make(options, std::move(*loop), std::move(*names), std::move(*hooks), std::move(*journal));
}

Result<std::shared_ptr<Engine::Impl>> Engine::Impl::make(const Options& options,
                                                         std::unique_ptr<loop::Loop> loop,
                                                         std::unique_ptr<api::NameService> names,
                                                         std::unique_ptr<hook::Hooks> hooks,
                                                         std::unique_ptr<store::Journal> journal) {
  auto& unread = *journal;
  std::shared_ptr<Impl> impl(
      new Impl(options, std::move(loop), std::move(names), std::move(hooks), std::move(journal)));
  // All threads are started first, so that a lack of threads shows before anything is read.
  BELAY_TRY(impl->store_->start());
  BELAY_TRY(impl->loop_->make_thread());
  BELAY_TRY(impl->recover(unread));
  return impl;
}

Result<> Engine::Impl::recover(store::Journal& journal) {
  const auto take = [this](store::RecoveredTransaction recovered) {
    engine_.adopt(std::move(recovered.transaction), recovered.first_lsn, recovered.last_lsn,
                  recovered.has_row);
  };
  const auto progress = [this](std::uint64_t count) {
    if (count % kProgressEvery == 0) log_.info("recovered {} transactions so far", count);
  };
  auto recovered = journal.recover(take, progress);
  if (!recovered) return recovered.error();
  engine_.adopt_topics(std::move(recovered->topics));
  engine_.adopt_holds(std::move(recovered->holds));
  origin_.last_lsn = recovered->last_lsn;
  origin_.last_id = recovered->last_id;
  origin_.epoch = recovered->epoch;
  origin_.log_bytes = recovered->log_bytes;
  origin_.seed = base::random64();
  origin_.seen_until = recovered->seen_until;
  origin_.gaps = std::move(recovered->gaps);
  origin_.has_posted = recovered->has_posted;
  origin_.file_bytes = recovered->file_bytes;
  origin_.wal_bytes = recovered->wal_bytes;
  tell_of_file(log_, recovered->file, options_.file_mode);
  return {};
}

Result<> Engine::Impl::check_started() const {
  switch (state_.load()) {
    case State::opened: return Error{ErrorCode::misuse, "the engine is not started yet"};
    case State::started: return {};
    case State::closing:
    case State::closed: break;
  }
  return Error{ErrorCode::closed, "the engine is closed or closing"};
}

Result<> Engine::Impl::check_callback(bool given) {
  if (given) return {};
  return Error{ErrorCode::invalid_argument, "the callback is empty"};
}

Result<> Engine::Impl::usable(const std::shared_ptr<Impl>& impl) {
  if (!impl) {
    return Error{ErrorCode::misuse, "this Engine was moved from; its engine is where it moved to"};
  }
  if (!impl->home_.left()) return {};
  return Error{ErrorCode::misuse,
               fmt::format("this engine belongs to process {}, which process {} was forked from",
                           impl->home_.process(), getpid())};
}

Result<> Engine::Impl::may_wait(const std::shared_ptr<Impl>& impl) {
  BELAY_TRY(usable(impl));
  if (impl->state_ == State::started && impl->loop_->is_loop_thread()) {
    return Error{ErrorCode::misuse, "waiting on the engine's loop would stop the loop itself"};
  }
  return {};
}

Result<> Engine::Impl::handle(std::string_view name, const api::HandlerEntry& entry) {
  const base::Lock lock(start_mutex_);
  const auto state = state_.load();
  if (state == State::closing || state == State::closed) return check_started();
  BELAY_TRY(api::check_handler_name(name));
  BELAY_TRY(handlers_.reserve(name, entry));
  if (state == State::opened) {
    handlers_.add(std::string(name), entry);
    return {};
  }
  loop_->post([this, name = std::string(name), entry] {
    handlers_.add(name, entry);
    // Refused only if no transaction is left that could wait for the handler.
    static_cast<void>(engine_.ask(engine::RegisteredRequest{name}).has_value());
  });
  return {};
}

Result<> Engine::Impl::start() {
  const base::Lock lock(start_mutex_);
  if (state_ != State::opened) {
    return Error{ErrorCode::misuse, "the engine is started already, or closed"};
  }
  BELAY_TRY(loop_->attach([this] { turn(); }));
  if (auto hooks = start_hooks(); !hooks) {
    loop_->detach();
    return hooks;
  }
  // The engine starts first, so that it accepts requests when this function returns; the loop finds
  // the engine ready. The state changes before the loop starts, because handlers on the loop may
  // make requests at once.
  engine_.start(origin_);
  state_ = State::started;
  loop_->start();
  loop_->wake();
  return {};
}

// Runs before the engine's own loop runs, or on the host's loop.
Result<> Engine::Impl::start_hooks() {
  if (const auto proxies = hooks_->proxies(); !proxies.empty())
    log_.info("URLs are called as the environment says: {}", proxies);
  names_->start(loop_->uv(),
                [this](std::function<void()> function) { loop_->post(std::move(function)); });
  return hooks_->start(
      loop_->uv(),
      [this](ports::CallId id, const Outcome& outcome) {
        engine_.answer(id, outcome);
        loop_->wake();  // all answers that came in together share one turn
      },
      [this](ports::Lane lane) { engine_.lane_opened(lane); });
}

void Engine::Impl::turn() {
  mailbox_->take(letters_);
  for (const auto& [id, outcome] : letters_) engine_.answer(id, outcome);
  letters_.clear();
  engine_.turn();
}

Result<> Engine::Impl::enter(Description description, core::Entry entry,
                             std::optional<bool> wants_final, base::Callback<Report> done) {
  BELAY_TRY(may_ask(done));
  const auto draft = core::draft_of(description);
  const auto& gid = draft.settings->gid;
  auto definition = core::define(draft, gid.empty() ? new_gid() : gid, entry, options_.limits);
  if (!definition) return definition.error();
  BELAY_TRY(api::check_targets(*hooks_, draft));
  return engine_.ask(engine::SubmitRequest{std::move(*definition), entry, gid.empty(),
                                           wants_final.value_or(draft.settings->wait_result),
                                           std::move(done)});
}

Result<> Engine::Impl::enter(std::string_view body, base::Callback<Report> done) {
  BELAY_TRY(may_ask(done));
  auto submit = api::submit_from(body, options_.limits, *hooks_);
  if (!submit) return submit.error();
  return engine_.ask(engine::SubmitRequest{std::move(submit->definition), core::Entry::submit,
                                           submit->makes_gid, false, std::move(done)});
}

Result<> Engine::Impl::register_branch(std::string_view gid, const TwoPhaseBranch& branch,
                                       base::Callback<Outcome> done) {
  BELAY_TRY(may_ask(done));
  auto step = core::encode_branch(branch, options_.limits);
  if (!step) return step.error();
  BELAY_TRY(api::check_targets(*hooks_, branch));
  return engine_.ask(
      engine::BranchRequest{std::string(gid), std::move(*step), std::move(done), branch.mode});
}

Result<> Engine::Impl::record_progress(std::string_view gid, const Progress& progress,
                                       base::Callback<std::monostate> done) {
  BELAY_TRY(may_ask(done));
  auto step = core::encode_progress(progress, options_.limits);
  if (!step) return step.error();
  return engine_.ask(engine::ProgressRequest{std::string(gid), std::move(*step), std::move(done)});
}

Result<> Engine::Impl::finish_workflow(std::string_view gid, const WorkflowEnd& end,
                                       base::Callback<Report> done) {
  BELAY_TRY(may_ask(done));
  BELAY_TRY(core::check_end(end, options_.limits));
  return engine_.ask(engine::EndRequest{std::string(gid), end, std::move(done)});
}

Result<> Engine::Impl::hasten_all(Millis later_than, std::uint32_t limit,
                                  base::Callback<Woken> done) {
  BELAY_TRY(may_ask(done));
  if (limit < 1 || limit > kHastenedMax) {
    return Error{ErrorCode::invalid_argument, "the limit is " + std::to_string(limit) +
                                                  ", it must be 1 to " +
                                                  std::to_string(kHastenedMax)};
  }
  const auto ms = std::clamp(later_than, Millis{0}, kLaterThanMax).count();
  return engine_.ask(engine::HastenRequest{static_cast<std::uint64_t>(ms), limit, std::move(done)});
}

Result<> Engine::Impl::change_topic(engine::TopicRequest request) {
  BELAY_TRY(may_ask(request.done));
  if (request.change.kind == ports::TopicChange::Kind::subscribe)
    BELAY_TRY(api::check_target(*hooks_, request.change.subscription));
  return engine_.ask(std::move(request));
}

Result<> Engine::Impl::check_storage(base::Callback<std::monostate> done) {
  BELAY_TRY(may_ask(done));
  return engine_.check_storage(std::move(done));
}

// Such a question does not go through the engine, which knows no hosts; so it is kept here until it
// is answered.
template <class T, class Read>
Result<> Engine::Impl::ask_loop(base::Callback<T> done, Read read) {
  // The loop runs posted functions only after it was started.
  const base::Lock start_lock(start_mutex_);
  const base::Lock lock(asked_mutex_);
  BELAY_TRY(may_ask(done));
  if (!takes_questions_) return Error{ErrorCode::closed, "the engine is closed or closing"};
  asked_.push_back([done = std::move(done), read](const Result<>& open) {
    done(open ? Result<T>(read()) : Result<T>(open.error()));
  });
  if (asked_.size() == 1) loop_->post([this] { answer_asked({}); });
  return {};
}

void Engine::Impl::answer_asked(const Result<>& open) {
  std::vector<Question> asked;
  {
    const base::Lock lock(asked_mutex_);
    asked.swap(asked_);
    if (!open) takes_questions_ = false;
  }
  for (const auto& answer : asked) answer(open);
}

Result<> Engine::Impl::hosts(base::Callback<std::vector<HostFigures>> done) {
  return ask_loop(std::move(done), [this] { return hooks_->figures(); });
}

Result<> Engine::Impl::names(base::Callback<std::vector<NameFigures>> done) {
  return ask_loop(std::move(done), [this] { return names_->figures(); });
}

Result<> Engine::Impl::close(base::Callback<std::monostate> closed) {
  BELAY_TRY(check_callback(static_cast<bool>(closed)));
  closed.log_to(log_);
  if (close_unstarted()) {
    closed({});
    return {};
  }
  auto expected = State::started;
  if (!state_.compare_exchange_strong(expected, State::closing)) return check_started();
  closed_ = std::move(closed);
  return engine_.ask(engine::CloseRequest{
      [self = shared_from_this()](const Result<>& result) { self->close_store(result); }});
}

bool Engine::Impl::close_unstarted() {
  const base::Lock lock(start_mutex_);
  if (state_ != State::opened) return false;
  state_ = State::closed;
  // The caller's thread moves the file's write-ahead log.
  const base::QuietSignals quiet;
  // Nothing has run: there is nothing to fold.
  store_.reset();
  return true;
}

// From here on each step's callback owns what the next step needs, because the Engine may be gone.
void Engine::Impl::close_store(const Result<>& engine_result) {
  store_->close([self = shared_from_this(), engine_result](const Result<>& result) {
    self->close_loop(engine_result ? result : engine_result);
  });
}

void Engine::Impl::close_loop(const Result<>& result) {
  mailbox_->shut();
  answer_asked(Error{ErrorCode::closed, "the engine closed before it could answer"});
  hooks_->close([self = shared_from_this(), result] {
    self->names_->close([self, result] {
      self->loop_->close([self, result] {
        self->state_ = State::closed;
        const auto closed = std::move(self->closed_);
        closed(result);
      });
    });
  });
}

Result<> Engine::Impl::close_and_join() {
  if (state_ == State::started && handlers_.is_blocking_thread())
    return Error{ErrorCode::misuse, "closing waits for the blocking handlers, and this is one"};
  auto result = api::wait_for_answer<std::monostate>(
      {}, [this](base::Callback<std::monostate> closed) { return close(std::move(closed)); });
  if (result || result.error().code != ErrorCode::closed) loop_->join();
  return result;
}

void Engine::Impl::let_go(std::shared_ptr<Impl> impl) {
  if (impl->home_.left()) return base::keep(std::move(impl));
  auto& self = *impl;
  if (self.close_unstarted()) return;
  const bool is_own_thread = self.loop_->is_loop_thread() || self.handlers_.is_blocking_thread();
  if (self.loop_->is_own() && !is_own_thread) {
    static_cast<void>(self.close_and_join().has_value());  // the engine may have been closed before
    return self.loop_->join();
  }
  if (self.loop_->is_own()) self.loop_->leave_to(impl);
  static_cast<void>(self.close([](const Result<>&) {}).has_value());  // likewise
}

}  // namespace belay
