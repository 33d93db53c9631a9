// The implementation of the public engine: owns the parts and connects them. Only this class knows
// all parts.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "api/callers.h"
#include "api/handlers.h"
#include "api/mailbox.h"
#include "api/name_service.h"
#include "api/targets.h"
#include "base/enter.h"
#include "base/forks.h"
#include "base/log.h"
#include "base/mutex.h"
#include "belay/engine.h"
#include "engine/coordinator.h"
#include "hook/hooks.h"
#include "loop/loop.h"
#include "store/store_thread.h"

namespace belay {

class Engine::Impl : public std::enable_shared_from_this<Impl> {
 public:
  // Engine::open. May throw if there is no memory.
  static Result<std::shared_ptr<Impl>> open(std::string_view path, const Options& options);
  ~Impl();

  // Checked first by every public function. Errors: misuse, if the Engine was moved from, or in a
  // forked process.
  static Result<> usable(const std::shared_ptr<Impl>& impl);
  // The same check, and misuse on the loop, where waiting would stop the loop itself.
  static Result<> may_wait(const std::shared_ptr<Impl>& impl);
  // Takes over the Impl of a destroyed Engine. Waits for the close where that is allowed; otherwise
  // the loop closes the engine by itself and keeps what it needs until then.
  static void let_go(std::shared_ptr<Impl> impl);

  Result<> handle(std::string_view name, const api::HandlerEntry& entry);
  Result<> start();
  // `wants_final` overrides the description's wait_result, if given.
  Result<> enter(Description description, core::Entry entry, std::optional<bool> wants_final,
                 base::Callback<Report> done);
  // A submit, described as JSON.
  Result<> enter(std::string_view body, base::Callback<Report> done);
  Result<> register_branch(std::string_view gid, const TwoPhaseBranch& branch,
                           base::Callback<Outcome> done);
  // Hands in a request that only the engine itself has to check.
  template <class Request>
  Result<> ask(Request request) {
    BELAY_TRY(may_ask(request.done));
    return engine_.ask(std::move(request));
  }
  Result<> record_progress(std::string_view gid, const Progress& progress,
                           base::Callback<std::monostate> done);
  Result<> finish_workflow(std::string_view gid, const WorkflowEnd& end,
                           base::Callback<Report> done);
  Result<> hasten_all(Millis later_than, std::uint32_t limit, base::Callback<Woken> done);
  Result<> change_topic(engine::TopicRequest request);
  Result<> hosts(base::Callback<std::vector<HostFigures>> done);
  Result<> names(base::Callback<std::vector<NameFigures>> done);
  Result<> check_storage(base::Callback<std::monostate> done);
  Result<> close(base::Callback<std::monostate> closed);
  Result<> note_realm(const XaRealm& realm) { return engine_.note_realm(realm); }
  Result<> close_and_join();
  Counters counters() const { return engine_.counters(); }

 private:
  enum class State : std::uint8_t { opened, started, closing, closed };

  Impl(const Options& options, std::unique_ptr<loop::Loop> loop,
       std::unique_ptr<api::NameService> names, std::unique_ptr<hook::Hooks> hooks,
       std::unique_ptr<store::Journal> journal);
  // Takes over an open journal and reads its content. Errors: those of the journal.
  static Result<std::shared_ptr<Impl>> make(const Options& options,
                                            std::unique_ptr<loop::Loop> loop,
                                            std::unique_ptr<api::NameService> names,
                                            std::unique_ptr<hook::Hooks> hooks,
                                            std::unique_ptr<store::Journal> journal);
  Result<> recover(store::Journal& journal);
  Result<> check_started() const;
  static Result<> check_callback(bool given);
  // The checks for every request with a callback.
  template <class T>
  Result<> may_ask(base::Callback<T>& done) const {
    BELAY_TRY(check_callback(static_cast<bool>(done)));
    done.log_to(log_);
    return check_started();
  }
  Result<> start_hooks();
  void turn();
  // Answers with what `read` returns on the loop.
  template <class T, class Read>
  Result<> ask_loop(base::Callback<T> done, Read read);
  void answer_asked(const Result<>& open);
  bool close_unstarted();
  void close_store(const Result<>& engine_result);
  void close_loop(const Result<>& result);

  const Options options_;
  const base::Log log_;
  const base::Home home_;
  std::atomic<State> state_ = State::opened;
  // Held while a handler is registered, and while the state changes from `opened`, until the loop
  // accepts posted functions: so each name is either added before that change or posted after it.
  base::Mutex start_mutex_;
  std::unique_ptr<loop::Loop> loop_;
  std::shared_ptr<api::Mailbox> mailbox_;
  api::Handlers handlers_;
  std::unique_ptr<api::NameService> names_;
  std::unique_ptr<hook::Hooks> hooks_;
  api::Callers callers_;
  std::unique_ptr<store::StoreThread> store_;
  engine::Coordinator engine_;
  engine::Origin origin_;
  std::vector<api::Mailbox::Letter> letters_;
  base::Callback<std::monostate> closed_;

  // The questions that the loop answers, or the error with which it is closed. Shared with other
  // threads.
  using Question = std::function<void(const Result<>& open)>;
  base::Mutex asked_mutex_;
  bool takes_questions_ BELAY_GUARDED_BY(asked_mutex_) = true;
  std::vector<Question> asked_ BELAY_GUARDED_BY(asked_mutex_);
};

}  // namespace belay
