/* empty: a C program that does nothing, the floor of `bootlace status` and `bootlace query`. */

int main(void)
{
    return 0;
}
