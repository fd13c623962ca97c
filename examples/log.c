/* What Turnpike says, and who hears it: log [journal]
 *
 * The library is silent until its host opens a sink. This host opens one after the other, for a person, for a program
 * and for itself; writes lines of its own to them, as the library does; and closes them. With the word `journal` it
 * sends one line to the system's journal instead. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <turnpike/log.h>
#include <unistd.h>

#define INVALID_HANDLE 6u
#define NOT_SUPPORTED 50u

static int fail(const char* what, uint32_t code) {
  printf("%s: error %" PRIu32 "\n", what, code);
  return 1;
}

/* The host's own listener: it counts, and looks for a field by its name. */
static void listen(void* context, const TpLogRecord* record) {
  int* heard = context;
  ++*heard;
  for (uint32_t i = 0; i < record->field_count; ++i) {
    if (strcmp(record->fields[i].key, "lost") == 0) {
      printf("callback: %s lost %" PRIu64 "\n", record->room, record->fields[i].value.count);
    }
  }
}

static uint32_t overrun(uint32_t level) {
  const TpLogField fields[] = {
      TpLogText("socket", "routes"),
      TpLogUnsigned("lost", 12),
      TpLogText("peer", "a name\nwith a newline"),
  };
  return TpLogWrite(level, "example", "receive queue overran", fields, sizeof fields / sizeof *fields);
}

static int to_journal(void) {
  TpLogSink journal;
  const uint32_t code = TpLogOpenJournal(TP_LOG_INFO, "turnpike-example", &journal);
  if (code == NOT_SUPPORTED) {
    printf("this machine has no journal\n");
    return 0;
  }
  if (code != 0) return fail("TpLogOpenJournal", code);
  overrun(TP_LOG_WARNING);
  TpLogClose(journal);
  printf("sent; see: journalctl -t turnpike-example -o verbose -n 1\n");
  return 0;
}

int main(int argc, char** argv) {
  TpLogSink person, program, self;
  uint32_t code;
  int heard = 0;
  setvbuf(stdout, NULL, _IONBF, 0); /* the sinks below write to the descriptors, past stdio's buffers */

  if (argc > 1 && strcmp(argv[1], "journal") == 0) return to_journal();

  printf("enabled before a sink is open: %d\n", TpLogEnabled(TP_LOG_ERROR));

  if ((code = TpLogOpenStderr(TP_LOG_INFO, TP_LOG_TIME, &person)) != 0) return fail("TpLogOpenStderr", code);
  overrun(TP_LOG_WARNING);
  overrun(TP_LOG_DEBUG); /* too fine for that sink: nothing comes */

  if ((code = TpLogOpenJson(TP_LOG_DEBUG, STDOUT_FILENO, &program)) != 0) return fail("TpLogOpenJson", code);
  overrun(TP_LOG_DEBUG); /* now somebody wants it, but not the person */

  if ((code = TpLogOpenCallback(TP_LOG_ERROR, listen, &heard, &self)) != 0) return fail("TpLogOpenCallback", code);
  TpLogClose(person);
  TpLogClose(program);
  overrun(TP_LOG_ERROR);
  printf("lines heard by the callback: %d\n", heard);

  /* When TpLogClose has returned, no callback runs or will run: what it uses may go. */
  TpLogClose(self);
  overrun(TP_LOG_ERROR);
  if ((code = TpLogClose(self)) != INVALID_HANDLE) return fail("a sink closed twice", code);
  printf("closed twice: error %" PRIu32 ", and still %d line\n", code, heard);
  return heard == 1 ? 0 : 1;
}
