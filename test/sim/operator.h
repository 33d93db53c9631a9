// The operator: at random moments it asks all verbs about transactions and targets, of this process
// or by rows in the file. All that it draws comes from a stream
// of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "banks.h"
#include "clients.h"
#include "engine/coordinator.h"
#include "hold_book.h"
#include "mode_clients.h"
#include "plan.h"
#include "post_box.h"
#include "unnamed.h"
#include "world.h"

namespace belay::sim {

class Operator {
 public:
  // `wrote`: called whenever it has used the disk, which may have lost its power by that.
  Operator(World& world, const Plan& plan, const test::CrashVfs& disk, std::uint64_t seed,
           std::function<void()> wrote);

  HoldBook& holds() { return holds_; }
  Unnamed& unnamed() { return unnamed_; }
  void know(Banks& banks, Clients& clients, ModeClients& modes);
  // The engine of this life; null between lives.
  void set_engine(engine::Coordinator* engine);
  void set_watch(const std::function<bool()>& watch);
  void check_all_heard();
  // What a new life, or the end, finds in the file.
  void recovered(const std::vector<Hold>& holds);
  void look();

  void schedule();
  void calm() {
    calm_ = true;
    post_box_.calm();
  }
  // In the calm: releases what is held. True when nothing is, and every request has its answer.
  bool settle();
  std::string unsettled() const;

 private:
  void act();
  void post_saga();
  void change_hold(std::string target, bool releases, bool posts);
  void told(HoldOrder& order, const Result<>& result);
  void told(HoldOrder& order, const Posted& posted);
  std::string any_target();
  std::vector<std::string> all_targets() const;
  void look_soon();

  World& world_;
  const Plan& plan_;
  test::Random random_;
  std::function<void()> wrote_;
  HoldBook holds_;
  PostBox post_box_;
  Unnamed unnamed_;
  Banks* banks_ = nullptr;
  Clients* clients_ = nullptr;
  ModeClients* modes_ = nullptr;
  engine::Coordinator* engine_ = nullptr;
  std::function<bool()> watch_;
  std::uint64_t pending_ = 0;  // holds and releases of this life without an answer
  std::uint64_t number_ = 0;
  bool calm_ = false;
};

}  // namespace belay::sim
