// As long as it lives, SQLite cannot write to one state file and what belongs to it: the disk is
// full. Other files are not touched. One at a time.
#pragma once

#include <string>

namespace belay::test {

class RefusingDisk {
 public:
  explicit RefusingDisk(const std::string& state_file);
  RefusingDisk(const RefusingDisk&) = delete;
  RefusingDisk& operator=(const RefusingDisk&) = delete;
  ~RefusingDisk();

  void mend();
  int refused() const;  // writes so far
};

}  // namespace belay::test
