// Uncompresses a body while it comes in. libcurl could do this, but does not report whether the
// compressed body was complete, and the missing part may contain a FAILURE.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;

namespace belay::hook {

enum class Packing : std::uint8_t { none, gzip, deflate };

class Unpacker {
 public:
  using Take = std::function<bool(std::string_view part)>;

  Unpacker();
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;
  ~Unpacker();

  // gzip or deflate.
  void begin(Packing packing);
  // Passes the uncompressed bytes on, in parts of some KiB. False: the bytes are not compressed
  // this way, or `take` wants no more. `feed` must not be called after that.
  bool feed(std::string_view bytes, const Take& take);
  // True if the bytes fed so far end where a compressed body ends.
  bool is_whole() const { return is_whole_; }

 private:
  bool open();
  void close();
  bool run(std::string_view bytes, const Take& take);

  Packing packing_ = Packing::none;
  std::unique_ptr<z_stream_s> stream_;
  bool is_open_ = false;
  bool is_whole_ = false;
  std::string first_;  // two bytes that show which kind of deflate it is
};

}  // namespace belay::hook
