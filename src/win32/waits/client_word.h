// The futex words of locks that lie in a client's own memory (critical sections, slim locks): they are plain integers
// there, because the documented structures are C.
#pragma once

#include <atomic>
#include <cstdint>

namespace turnpike::win32 {

using Word = std::atomic<std::uint32_t>;
static_assert(sizeof(Word) == 4 && Word::is_always_lock_free);
static_assert(std::atomic<void*>::is_always_lock_free && sizeof(std::atomic<void*>) == 8);

// The word at that place of the client's structure.
inline Word& word_at(void* place) { return *static_cast<Word*>(place); }

// The two words of a structure that is as wide as a pointer.
struct TwoWords {
  Word low;
  Word high;
};
inline TwoWords& two_words_at(void* place) { return *static_cast<TwoWords*>(place); }

}  // namespace turnpike::win32
