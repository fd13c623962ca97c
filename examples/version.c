/* The smallest client: which Turnpike does this process run with? */
#include <stdio.h>
#include <turnpike/version.h>

int main(void) {
  printf("Turnpike %s\n", TpVersion());
  return 0;
}
