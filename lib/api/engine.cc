// The public functions: from which threads they may be called, and how they wait.
#include "belay/engine.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>
#include <variant>

#include "api/impl.h"
#include "api/waiting.h"
#include "base/quiet_signals.h"
#include "core/draft.h"

namespace belay {

using TopicKind = ports::TopicChange::Kind;

Engine::Engine(std::shared_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Engine::Engine(Engine&&) noexcept = default;

Engine& Engine::operator=(Engine&& other) noexcept {
  if (this != &other) {
    if (impl_) Impl::let_go(impl_);
    impl_ = std::move(other.impl_);
  }
  return *this;
}

// Callbacks may use the engine until it is closed: so impl_ stays as it is meanwhile.
Engine::~Engine() {
  if (impl_) Impl::let_go(impl_);
}

// Only a lack of memory makes the code below throw. The error's text fits into a string without an
// allocation.
Result<Engine> Engine::open(std::string_view path, const Options& options) {
  const base::QuietSignals quiet;  // opening writes to the file, on the caller's thread
  try {
    auto impl = Impl::open(path, options);
    if (!impl) return impl.error();
    return Engine(std::move(*impl));
  } catch (const std::exception&) {
    return Error{ErrorCode::resources, "no memory left"};
  }
}

Result<> Engine::handle(std::string_view name, Handler handler, void* user) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->handle(name, {api::HandlerEntry::Kind::immediate, handler, nullptr, user});
}

Result<> Engine::handle_blocking(std::string_view name, Handler handler, void* user) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->handle(name, {api::HandlerEntry::Kind::blocking, handler, nullptr, user});
}

Result<> Engine::handle_async(std::string_view name, AsyncHandler handler, void* user) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->handle(name, {api::HandlerEntry::Kind::async, nullptr, handler, user});
}

Result<> Engine::start() {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->start();
}

Result<> Engine::submit(Description description, ReportCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->enter(description, core::Entry::submit, std::nullopt, std::move(done));
}

Result<Report> Engine::submit(Description description) {
  const auto start = [&](ReportCallback done) { return submit(description, std::move(done)); };
  return core::settings_of(description).wait_result
             ? api::wait_for_handlers<Report>(Impl::may_wait(impl_), start)
             : api::wait_for_answer<Report>(Impl::may_wait(impl_), start);
}

Result<> Engine::submit_json(std::string_view body, ReportCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->enter(body, std::move(done));
}

Result<Report> Engine::submit_json(std::string_view body) {
  return api::wait_for_answer<Report>(Impl::may_wait(impl_), [&](ReportCallback done) {
    return submit_json(body, std::move(done));
  });
}

Result<Report> Engine::run(Description description) {
  return api::wait_for_handlers<Report>(Impl::may_wait(impl_), [&](ReportCallback done) {
    return impl_->enter(description, core::Entry::submit, true, std::move(done));
  });
}

Result<> Engine::prepare(Description description, ReportCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->enter(description, core::Entry::prepare, false, std::move(done));
}

Result<Report> Engine::prepare(Description description) {
  return api::wait_for_answer<Report>(Impl::may_wait(impl_), [&](ReportCallback done) {
    return prepare(description, std::move(done));
  });
}

Result<> Engine::register_branch(std::string_view gid, const TwoPhaseBranch& branch,
                                 OutcomeCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->register_branch(gid, branch, std::move(done));
}

Result<Outcome> Engine::register_branch(std::string_view gid, const TwoPhaseBranch& branch) {
  return api::wait_for_handlers<Outcome>(Impl::may_wait(impl_), [&](OutcomeCallback done) {
    return register_branch(gid, branch, std::move(done));
  });
}

Result<> Engine::submit_prepared(std::string_view gid, ReportCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->ask(engine::WordRequest{
      std::string(gid), engine::WordRequest::Word::submit, {}, std::move(done)});
}

Result<> Engine::submit_prepared(std::string_view gid, Millis delay, ReportCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  if (delay < Millis{0} || delay > core::kIntervalMax) {
    return Error{ErrorCode::invalid_argument,
                 "the delay is " + std::to_string(delay.count()) + " ms, it must be 0 to " +
                     std::to_string(core::kIntervalMax.count()) + " ms"};
  }
  return impl_->ask(engine::WordRequest{.gid = std::string(gid),
                                        .word = engine::WordRequest::Word::submit,
                                        .reason = {},
                                        .done = std::move(done),
                                        .delay = delay});
}

Result<Report> Engine::submit_prepared(std::string_view gid) {
  return api::wait_for_answer<Report>(Impl::may_wait(impl_), [&](ReportCallback done) {
    return submit_prepared(gid, std::move(done));
  });
}

Result<> Engine::abort(std::string_view gid, std::string_view reason, ReportCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->ask(engine::WordRequest{std::string(gid), engine::WordRequest::Word::abort,
                                        std::string(reason), std::move(done)});
}

Result<Report> Engine::abort(std::string_view gid, std::string_view reason) {
  return api::wait_for_answer<Report>(Impl::may_wait(impl_), [&](ReportCallback done) {
    return abort(gid, reason, std::move(done));
  });
}

Result<> Engine::record_progress(std::string_view gid, const Progress& progress,
                                 DoneCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->record_progress(gid, progress, std::move(done));
}

Result<> Engine::record_progress(std::string_view gid, const Progress& progress) {
  return api::wait_for_answer<std::monostate>(Impl::may_wait(impl_), [&](DoneCallback done) {
    return record_progress(gid, progress, std::move(done));
  });
}

Result<> Engine::finish_workflow(std::string_view gid, const WorkflowEnd& end,
                                 ReportCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->finish_workflow(gid, end, std::move(done));
}

Result<Report> Engine::finish_workflow(std::string_view gid, const WorkflowEnd& end) {
  return api::wait_for_answer<Report>(Impl::may_wait(impl_), [&](ReportCallback done) {
    return finish_workflow(gid, end, std::move(done));
  });
}

Result<> Engine::force_stop(std::string_view gid, std::string_view reason, ReportCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->ask(engine::WordRequest{std::string(gid), engine::WordRequest::Word::stop,
                                        std::string(reason), std::move(done)});
}

Result<Report> Engine::force_stop(std::string_view gid, std::string_view reason) {
  return api::wait_for_handlers<Report>(Impl::may_wait(impl_), [&](ReportCallback done) {
    return force_stop(gid, reason, std::move(done));
  });
}

Result<> Engine::turn_back(std::string_view gid, std::string_view reason, ReportCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->ask(engine::WordRequest{std::string(gid), engine::WordRequest::Word::back,
                                        std::string(reason), std::move(done)});
}

Result<Report> Engine::turn_back(std::string_view gid, std::string_view reason) {
  return api::wait_for_answer<Report>(Impl::may_wait(impl_), [&](ReportCallback done) {
    return turn_back(gid, reason, std::move(done));
  });
}

Result<> Engine::resolve(std::string_view gid, std::string_view branch_id, Op op,
                         OutcomeKind outcome, std::string_view reason, ReportCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  if (outcome != OutcomeKind::success && outcome != OutcomeKind::failure)
    return Error{ErrorCode::invalid_argument, "the outcome must be success or failure"};
  return impl_->ask(engine::WordRequest{.gid = std::string(gid),
                                        .word = engine::WordRequest::Word::resolve,
                                        .reason = std::string(reason),
                                        .done = std::move(done),
                                        .branch_id = std::string(branch_id),
                                        .op = op,
                                        .outcome = outcome});
}

Result<Report> Engine::resolve(std::string_view gid, std::string_view branch_id, Op op,
                               OutcomeKind outcome, std::string_view reason) {
  return api::wait_for_answer<Report>(Impl::may_wait(impl_), [&](ReportCallback done) {
    return resolve(gid, branch_id, op, outcome, reason, std::move(done));
  });
}

Result<> Engine::edit(std::string_view gid, std::string_view branch_id, Op op, Changes changes,
                      std::string_view reason, ReportCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->ask(
      engine::WordRequest{.gid = std::string(gid),
                          .word = engine::WordRequest::Word::edit,
                          .reason = std::string(reason),
                          .done = std::move(done),
                          .branch_id = std::string(branch_id),
                          .op = op,
                          .changes = std::make_shared<const Changes>(std::move(changes))});
}

Result<Report> Engine::edit(std::string_view gid, std::string_view branch_id, Op op,
                            Changes changes, std::string_view reason) {
  return api::wait_for_answer<Report>(Impl::may_wait(impl_), [&](ReportCallback done) {
    return edit(gid, branch_id, op, std::move(changes), reason, std::move(done));
  });
}

Result<> Engine::hold(std::string_view target, std::string_view reason, std::string_view asked_by,
                      DoneCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->ask(engine::HoldRequest{
      {{std::string(target), std::string(reason), std::string(asked_by)}, false}, std::move(done)});
}

Result<> Engine::hold(std::string_view target, std::string_view reason, std::string_view asked_by) {
  return api::wait_for_answer<std::monostate>(Impl::may_wait(impl_), [&](DoneCallback done) {
    return hold(target, reason, asked_by, std::move(done));
  });
}

Result<> Engine::release(std::string_view target, std::string_view reason,
                         std::string_view asked_by, DoneCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->ask(engine::HoldRequest{
      {{std::string(target), std::string(reason), std::string(asked_by)}, true}, std::move(done)});
}

Result<> Engine::release(std::string_view target, std::string_view reason,
                         std::string_view asked_by) {
  return api::wait_for_answer<std::monostate>(Impl::may_wait(impl_), [&](DoneCallback done) {
    return release(target, reason, asked_by, std::move(done));
  });
}

Result<> Engine::retry_now(std::string_view gid, std::string_view reason, ReportCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->ask(engine::WordRequest{std::string(gid), engine::WordRequest::Word::hasten,
                                        std::string(reason), std::move(done)});
}

Result<> Engine::retry_now(std::string_view gid, ReportCallback done) {
  return retry_now(gid, {}, std::move(done));
}

Result<Report> Engine::retry_now(std::string_view gid, std::string_view reason) {
  return api::wait_for_answer<Report>(Impl::may_wait(impl_), [&](ReportCallback done) {
    return retry_now(gid, reason, std::move(done));
  });
}

Result<> Engine::retry_all_now(Millis later_than, std::uint32_t limit, WokenCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->hasten_all(later_than, limit, std::move(done));
}

Result<Woken> Engine::retry_all_now(Millis later_than, std::uint32_t limit) {
  return api::wait_for_answer<Woken>(Impl::may_wait(impl_), [&](WokenCallback done) {
    return retry_all_now(later_than, limit, std::move(done));
  });
}

Result<> Engine::subscribe(const Subscription& subscription, DoneCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->change_topic({{subscription, TopicKind::subscribe}, std::move(done)});
}

Result<> Engine::subscribe(const Subscription& subscription) {
  return api::wait_for_answer<std::monostate>(Impl::may_wait(impl_), [&](DoneCallback done) {
    return subscribe(subscription, std::move(done));
  });
}

Result<> Engine::unsubscribe(std::string_view topic, std::string_view target, DoneCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->change_topic(
      {{{std::string(topic), std::string(target), {}}, TopicKind::unsubscribe}, std::move(done)});
}

Result<> Engine::unsubscribe(std::string_view topic, std::string_view target) {
  return api::wait_for_answer<std::monostate>(Impl::may_wait(impl_), [&](DoneCallback done) {
    return unsubscribe(topic, target, std::move(done));
  });
}

Result<> Engine::remove_topic(std::string_view topic, DoneCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->change_topic({{{std::string(topic), {}, {}}, TopicKind::remove}, std::move(done)});
}

Result<> Engine::remove_topic(std::string_view topic) {
  return api::wait_for_answer<std::monostate>(Impl::may_wait(impl_), [&](DoneCallback done) {
    return remove_topic(topic, std::move(done));
  });
}

Result<> Engine::topics(TopicsCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->ask(engine::TopicsRequest{std::move(done)});
}

Result<std::vector<Topic>> Engine::topics() {
  return api::wait_for_answer<std::vector<Topic>>(
      Impl::may_wait(impl_), [&](TopicsCallback done) { return topics(std::move(done)); });
}

Result<> Engine::find(std::string_view gid, ReportCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->ask(engine::FindRequest::find(std::string(gid), std::move(done)));
}

Result<Report> Engine::find(std::string_view gid) {
  return api::wait_for_answer<Report>(
      Impl::may_wait(impl_), [&](ReportCallback done) { return find(gid, std::move(done)); });
}

Result<Report> Engine::wait(std::string_view gid, Millis timeout) {
  BELAY_TRY(Impl::may_wait(impl_));
  const auto place = api::Blocking::Wait::begin();
  if (!place) return place.error();
  timeout = std::min(timeout, api::kWaitMax);
  const auto rendezvous = std::make_shared<api::Rendezvous<Report>>();
  BELAY_TRY(
      impl_->ask(engine::FindRequest::wait(std::string(gid), timeout, api::arriving(rendezvous))));
  if (auto result = rendezvous->wait_for(timeout)) return std::move(*result);
  return api::late(gid, timeout);
}

Result<> Engine::wait(std::string_view gid, ReportCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->ask(engine::FindRequest::wait(std::string(gid), std::nullopt, std::move(done)));
}

Result<> Engine::set_log_level(LogLevel level, DoneCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->ask(engine::LogLevelRequest{level, std::move(done)});
}

Result<> Engine::set_log_level(LogLevel level) {
  return api::wait_for_answer<std::monostate>(Impl::may_wait(impl_), [&](DoneCallback done) {
    return set_log_level(level, std::move(done));
  });
}

Counters Engine::counters() const { return Impl::usable(impl_) ? impl_->counters() : Counters{}; }

Result<> Engine::hosts(HostsCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->hosts(std::move(done));
}

Result<std::vector<HostFigures>> Engine::hosts() {
  return api::wait_for_answer<std::vector<HostFigures>>(
      Impl::may_wait(impl_), [&](HostsCallback done) { return hosts(std::move(done)); });
}

Result<> Engine::names(NamesCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->names(std::move(done));
}

Result<std::vector<NameFigures>> Engine::names() {
  return api::wait_for_answer<std::vector<NameFigures>>(
      Impl::may_wait(impl_), [&](NamesCallback done) { return names(std::move(done)); });
}

Result<> Engine::check_storage(DoneCallback done) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->check_storage(std::move(done));
}

Result<> Engine::check_storage() {
  return api::wait_for_answer<std::monostate>(
      Impl::may_wait(impl_), [&](DoneCallback done) { return check_storage(std::move(done)); });
}

Result<> Engine::note_realm(const XaRealm& realm) {
  BELAY_TRY(Impl::usable(impl_));
  return impl_->note_realm(realm);
}

// The Engine may be destroyed while this function waits, or inside the callback.
Result<> Engine::close() {
  BELAY_TRY(Impl::may_wait(impl_));
  const auto impl = impl_;
  return impl->close_and_join();
}

Result<> Engine::close(ClosedCallback closed) {
  BELAY_TRY(Impl::usable(impl_));
  const auto impl = impl_;
  return impl->close(std::move(closed));
}

}  // namespace belay
