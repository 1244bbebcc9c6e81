// Locked: one secret value in memory of its own that the kernel does not write to swap or to a core dump.
//
// The memory is libsodium's (sodium_malloc): between guard pages, locked (mlock), left out of core dumps,
// wiped when it is freed. Where the process may lock no more (RLIMIT_MEMLOCK) it is not locked and all else
// holds: is_locked() tells. It does NOT protect copies that a computation makes in registers or on the stack,
// nor against who may read the process's memory, nor against hibernation, which writes all memory to disk.
// Each takes whole pages, so it is for few, long-lived secrets.
//
// Thread safety: immutable; as a const T.
#pragma once

#include <sodium.h>

#include <memory>
#include <new>
#include <type_traits>

#include "base/status.h"

namespace raakvlak::base {

template <typename T>
class Locked {
 public:
  // Copies the value; a T that wipes itself leaves nothing where it was.
  explicit Locked(const T& value) {
    static_assert(alignof(T) <= 16 && sizeof(T) % alignof(T) == 0,
                  "sodium_malloc aligns the end of the memory");
    RAAKVLAK_CHECK(sodium_init() >= 0, "libsodium starts");
    void* memory = sodium_malloc(sizeof(T));
    RAAKVLAK_CHECK(memory != nullptr, "there is memory for a secret");
    is_locked_ = sodium_mlock(memory, sizeof(T)) == 0;
    value_.reset(new (memory) T(value));
    sodium_mprotect_readonly(memory);
  }
  // Movable, not copyable.
  Locked(Locked&&) noexcept = default;
  Locked& operator=(Locked&&) noexcept = default;

  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_.get(); }
  bool is_locked() const { return is_locked_; }

 private:
  struct Free {
    void operator()(T* value) const {
      sodium_mprotect_readwrite(value);
      value->~T();
      sodium_free(value);
    }
  };
  std::unique_ptr<T, Free> value_;
  bool is_locked_ = false;
};

}  // namespace raakvlak::base
