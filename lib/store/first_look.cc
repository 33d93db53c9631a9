#include "store/first_look.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sqlite/sqlite.h"

namespace belay::store {
namespace {

// See https://www.sqlite.org/fileformat2.html. Numbers are big endian.
constexpr int kWalHeaderBytes = 32;
constexpr std::uint32_t kWalMagic = 0x377f0682;  // | 1: the checksums are of big-endian words
constexpr std::uint32_t kWalFormat = 3'007'000;
constexpr int kFileHeaderBytes = 32;
constexpr int kPageSizeAt = 16;
constexpr int kWriteVersionAt = 18;
constexpr unsigned char kWithWal = 2;
// An engine may restart its log while a reader looks.
constexpr int kLooks = 4;

using Bytes = std::array<unsigned char, 32>;

std::uint32_t big_endian(const unsigned char* at) {
  return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 |
         at[3];
}

std::uint32_t little_endian(const unsigned char* at) {
  return std::uint32_t{at[3]} << 24 | std::uint32_t{at[2]} << 16 | std::uint32_t{at[1]} << 8 |
         at[0];
}

// Without this flag SQLite would give the log the permissions of its file, and the file may be
// missing.
constexpr int kPlainFile = SQLITE_OPEN_SUPER_JOURNAL;
// SQLite's file functions may look for URI parameters behind a name.
constexpr std::string_view kNoParameters("\0\0\0", 3);

// A file that is opened through SQLite's VFS: closing a descriptor of any other kind would drop
// SQLite's locks on the file.
class RawFile {
 public:
  RawFile(const std::string& path, sqlite3_vfs* vfs, int kind)
      : name_(path + std::string(kNoParameters)),
        memory_(static_cast<std::size_t>(vfs->szOsFile) / sizeof(std::max_align_t) + 1),
        code_(vfs->xOpen(vfs, name_.c_str(), file(), SQLITE_OPEN_READONLY | kind, nullptr)) {}
  RawFile(const RawFile&) = delete;
  RawFile& operator=(const RawFile&) = delete;
  ~RawFile() {
    if (file()->pMethods != nullptr) file()->pMethods->xClose(file());
  }

  // The file's size and its first bytes, filled with zeros beyond its end; returns an SQLite code.
  int read(sqlite3_int64& size, Bytes& first) {
    if (code_ == SQLITE_OK) code_ = file()->pMethods->xFileSize(file(), &size);
    if (code_ != SQLITE_OK) return code_;
    const int code =
        file()->pMethods->xRead(file(), first.data(), static_cast<int>(first.size()), 0);
    return code == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : code;
  }

 private:
  sqlite3_file* file() { return static_cast<sqlite3_file*>(static_cast<void*>(memory_.data())); }

  std::string name_;
  std::vector<std::max_align_t> memory_;
  int code_;
};

bool is_page_size(std::uint32_t bytes) {
  return bytes >= 512 && bytes <= 65'536 && (bytes & (bytes - 1)) == 0;
}

bool is_whole(const Bytes& header) {
  const auto magic = big_endian(header.data());
  if ((magic & ~1u) != kWalMagic || big_endian(&header[4]) != kWalFormat) return false;
  if (!is_page_size(big_endian(&header[8]))) return false;
  const auto word = (magic & 1) != 0 ? &big_endian : &little_endian;
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  for (std::size_t at = 0; at < 24; at += 8) {
    first += word(&header[at]) + second;
    second += word(&header[at + 4]) + first;
  }
  return first == big_endian(&header[24]) && second == big_endian(&header[28]);
}

std::uint32_t page_size_of(const Bytes& file) {
  const auto bytes = std::uint32_t{file[kPageSizeAt]} << 8 | file[kPageSizeAt + 1];
  return bytes == 1 ? 65'536 : bytes;
}

Error damaged(const std::string& path, std::string_view how) {
  return {ErrorCode::corrupt,
          fmt::format("{}-wal {}; put the file and its -wal back from one backup, or move {}-wal "
                      "away to give up what it holds",
                      path, how, path)};
}

class Look {
 public:
  Look(const std::string& path, sqlite3_vfs* vfs) : path_(path), vfs_(vfs) {}

  Result<bool> run() const {
    auto file = has_content(path_);
    if (!file) return file;
    auto wal = has_content(path_ + "-wal");
    if (!wal || !*wal) return wal ? file : wal;
    Bytes header{};
    for (int looks = 1;; ++looks) {
      auto size = read(path_ + "-wal", kPlainFile, header);
      if (!size) return size.error();
      // The log's first bytes are synced before any batch follows them. If nothing follows them
      // there is nothing to lose, even if a power cut has damaged them.
      if (*size <= kWalHeaderBytes) return file;
      if (!*file) return without_file();
      if (is_whole(header)) break;
      if (looks == kLooks) return damaged(path_, "is damaged: its beginning cannot be read");
    }
    return belongs(header);
  }

 private:
  // An empty file counts as missing, as in SQLite's own search for a journal.
  Result<bool> has_content(const std::string& path) const {
    int found = 0;
    const int code = vfs_->xAccess(vfs_, path.c_str(), SQLITE_ACCESS_EXISTS, &found);
    if (code != SQLITE_OK)
      return sqlite::sqlite_error(nullptr, code, fmt::format("looking for {}", path));
    return found != 0;
  }

  Result<sqlite3_int64> read(const std::string& path, int kind, Bytes& first) const {
    sqlite3_int64 size = 0;
    const int code = RawFile(path, vfs_, kind).read(size, first);
    if (code != SQLITE_OK)
      return sqlite::sqlite_error(nullptr, code, fmt::format("reading {}", path));
    return size;
  }

  Error without_file() const {
    return {ErrorCode::corrupt,
            fmt::format("{} is gone or empty, and {}-wal beside it holds what was committed to it "
                        "last; put the file back, or move {}-wal away to begin anew without it",
                        path_, path_, path_)};
  }

  // If a backup was put in the file's place, the log of the former file does not belong to it.
  Result<bool> belongs(const Bytes& header) const {
    static_assert(kFileHeaderBytes == Bytes().size());
    Bytes file{};
    auto size = read(path_, SQLITE_OPEN_MAIN_DB, file);
    if (!size) return size.error();
    if (std::string_view(static_cast<const char*>(static_cast<const void*>(file.data())), 15) !=
        "SQLite format 3")
      return true;  // SQLite reports what is wrong
    if (file[kWriteVersionAt] == kWithWal && page_size_of(file) == big_endian(&header[8]))
      return true;
    return damaged(path_, fmt::format("is the log of another file than {}", path_));
  }

  const std::string& path_;
  sqlite3_vfs* vfs_;
};

}  // namespace

Result<bool> look_first(const std::string& path, const std::string& vfs) {
  auto* door = sqlite3_vfs_find(vfs.empty() ? nullptr : vfs.c_str());
  if (door == nullptr)
    return sqlite::sqlite_error(nullptr, SQLITE_ERROR, "looking for SQLite's files");
  return Look(path, door).run();
}

}  // namespace belay::store
