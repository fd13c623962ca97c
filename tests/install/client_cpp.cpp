// C++, with the warnings of a careful stranger.
#include <turnpike/log.h>
#include <turnpike/version.h>

#include <cstdio>

int main() {
  TpLogSink sink = 0;
  const TpLogField field = TpLogText("language", "C++");
  if (TpLogOpenStderr(TP_LOG_INFO, TP_LOG_PRIORITY, &sink) != 0) return 1;
  if (TpLogWrite(TP_LOG_INFO, "client", "hello", &field, 1) != 0) return 2;
  if (TpLogClose(sink) != 0) return 3;
  std::printf("%s\n", TpVersion());
  return 0;
}
