#define CLIENT strings_client
#include "strings_client.inc"
