// shared settings; embeddings were "text-embedding-ada-002" until May
module.exports = {
  embeddingModel: 'text-embedding-3-small',
  index: 'handbook',
};
