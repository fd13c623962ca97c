/* A shared object that is no module: it has no RegisterProtocol. */
__attribute__((visibility("default"))) int not_a_module(void);
int not_a_module(void) { return 0; }
