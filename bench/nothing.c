/* bench/nothing.c - what the containers of the bench run: a static program that ends at once, so
 * that what is measured is the container around it.
 */
int main(void)
{
	return 0;
}
