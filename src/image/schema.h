/* src/image/schema.h - the image tables of state.db: images by their config's digest, the names
 * that point to them, their layers in order, and the documents and blobs that came with them.
 */
#ifndef IMAGE_SCHEMA_H
#define IMAGE_SCHEMA_H

struct db_schema;

extern const struct db_schema image_schema;

#endif
