// A module that needs a function which nobody has.
extern int nobody_has_this_function(void);
int needy(void);
int needy(void) { return nobody_has_this_function(); }
