/* What the library has to say, and where it goes.
 *
 * Turnpike writes nothing anywhere until its host asks. The host opens one sink or several, each with a level; a sink
 * gets the lines of that level and the graver ones, from the whole process:
 *
 *   TpLogSink sink;
 *   if (TpLogOpenStderr(TP_LOG_INFO, TP_LOG_TIME, &sink) == 0) {
 *     ...
 *     TpLogClose(sink);
 *   }
 *
 * A line is a level, a room (the part of Turnpike that speaks), a message that never varies and typed fields that do.
 * A place in the code that talks too much is held back; how often is told in one line. A line that cannot be written
 * (a full pipe, a journal that is gone) is lost rather than waited for; how many is told once that sink works again.
 *
 * Every function may be called from any thread, but not from a signal handler. They return a Windows error number, 0
 * for success; on failure nothing has changed and nothing is written through a pointer. The numbers used here:
 *     6  ERROR_INVALID_HANDLE     not open, or not open for writing
 *     8  ERROR_NOT_ENOUGH_MEMORY  no memory or descriptor is left, or TP_LOG_MAX_SINKS sinks are open
 *    50  ERROR_NOT_SUPPORTED      this machine has no journal
 *    87  ERROR_INVALID_PARAMETER  a null pointer, an unknown level, a wrong key
 *   170  ERROR_BUSY               not from inside a log callback */
#ifndef TURNPIKE_LOG_H
#define TURNPIKE_LOG_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <turnpike/api.h>

TP_BEGIN

/* Levels: the numbers of syslog(3). */
#define TP_LOG_ERROR 3u
#define TP_LOG_WARNING 4u
#define TP_LOG_NOTICE 5u
#define TP_LOG_INFO 6u
#define TP_LOG_DEBUG 7u

#define TP_LOG_MAX_SINKS 8u
#define TP_LOG_MAX_FIELDS 32u

/* An open sink. 0 is none. */
typedef uint64_t TpLogSink;

/* How a line on standard error begins. */
#define TP_LOG_TIME 0u     /* 2024-05-06T07:08:09.123456Z warning */
#define TP_LOG_PRIORITY 1u /* <4>, for a service manager that reads standard error and adds the time itself */

/* Lines for a person, on standard error (descriptor 2, whatever it is when a line is written).
 * 87: unknown level or prefix, null sink. 8. */
TP_API uint32_t TpLogOpenStderr(uint32_t level, uint32_t prefix, TpLogSink* sink) TP_NOEXCEPT;

/* One JSON object per line to a copy of the descriptor: "time", "level", "room", "message", then the fields.
 * 6: the descriptor is not open for writing. 87: unknown level, null sink. 8. */
TP_API uint32_t TpLogOpenJson(uint32_t level, int descriptor, TpLogSink* sink) TP_NOEXCEPT;

/* Entries for the system's journal. The identifier is what `journalctl -t` selects by; null: the program's name. Fields
 * become TURNPIKE_<KEY>, the room TURNPIKE_ROOM.
 * 50: no journal listens on this machine. 87: unknown level, null sink. 8. */
TP_API uint32_t TpLogOpenJournal(uint32_t level, const char* identifier, TpLogSink* sink) TP_NOEXCEPT;

/* The types of a field's value, and which member of it holds. */
#define TP_LOG_SIGNED 1u   /* value.number */
#define TP_LOG_UNSIGNED 2u /* value.count */
#define TP_LOG_REAL 3u     /* value.real */
#define TP_LOG_FLAG 4u     /* value.flag: 0 or 1 */
#define TP_LOG_TEXT 5u     /* value.text, `length` bytes of any kind */

typedef struct TpLogField {
  const char* key;
  uint32_t type;
  uint32_t reserved;
  size_t length; /* of a text, without the NUL behind it */
  union {
    int64_t number;
    uint64_t count;
    double real;
    int32_t flag;
    const char* text;
  } value;
} TpLogField;

typedef struct TpLogRecord {
  uint32_t size; /* of this structure as the library knows it: members may be added at its end */
  uint32_t level;
  const char* room;
  const char* message;
  const TpLogField* fields;
  uint32_t field_count;
  uint32_t reserved;
  uint64_t time_ns; /* since 1970, UTC */
} TpLogRecord;

/* Called for each line, one at a time, on the thread that had something to say; the record is valid for the call. A
 * message that holds NUL bytes ends at the first of them. The callback may open sinks; it must not throw, cannot close
 * one (170), and a line that it causes is dropped. */
typedef void (*TpLogCallback)(void* context, const TpLogRecord* record);

/* 87: unknown level, null callback or sink. 8. */
TP_API uint32_t TpLogOpenCallback(uint32_t level, TpLogCallback callback, void* context, TpLogSink* sink) TP_NOEXCEPT;

/* From now on another level. 6: not open. 87: unknown level. */
TP_API uint32_t TpLogSetLevel(TpLogSink sink, uint32_t level) TP_NOEXCEPT;

/* When it returns no callback of that sink runs or will run. 6: not open (any more). 170: called by a log callback. */
TP_API uint32_t TpLogClose(TpLogSink sink) TP_NOEXCEPT;

/* 1 if a sink wants that level, else 0. Cheap enough to ask before gathering fields. */
TP_API int TpLogEnabled(uint32_t level) TP_NOEXCEPT;

/* A line of the host's or a module's own, for the same sinks. `room` names who speaks. Not held back however often it
 * comes. That no sink wants it is success. A key is [a-z][a-z0-9_]*, at most 40 characters, not one of time, level,
 * room, message, and stands once in a call.
 * 87: unknown level, null text, a wrong key or type, a key twice, more than TP_LOG_MAX_FIELDS fields.
 * 170: called by a log callback. */
TP_API uint32_t TpLogWrite(uint32_t level, const char* room, const char* message, const TpLogField* fields,
                           uint32_t field_count) TP_NOEXCEPT;

/* Fields, made in one expression. A null text is an empty one. */
static inline TpLogField TpLogSigned(const char* key, int64_t number) TP_NOEXCEPT {
  TpLogField field;
  memset(&field, 0, sizeof field);
  field.key = key;
  field.type = TP_LOG_SIGNED;
  field.value.number = number;
  return field;
}

static inline TpLogField TpLogUnsigned(const char* key, uint64_t count) TP_NOEXCEPT {
  TpLogField field = TpLogSigned(key, 0);
  field.type = TP_LOG_UNSIGNED;
  field.value.count = count;
  return field;
}

static inline TpLogField TpLogReal(const char* key, double real) TP_NOEXCEPT {
  TpLogField field = TpLogSigned(key, 0);
  field.type = TP_LOG_REAL;
  field.value.real = real;
  return field;
}

static inline TpLogField TpLogFlag(const char* key, int flag) TP_NOEXCEPT {
  TpLogField field = TpLogSigned(key, 0);
  field.type = TP_LOG_FLAG;
  field.value.flag = flag != 0;
  return field;
}

static inline TpLogField TpLogText(const char* key, const char* text) TP_NOEXCEPT {
  TpLogField field = TpLogSigned(key, 0);
  field.type = TP_LOG_TEXT;
  field.value.text = text ? text : "";
  field.length = strlen(field.value.text);
  return field;
}

TP_END

#endif
