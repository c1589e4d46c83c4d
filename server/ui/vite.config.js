import { pages } from '@jiaohao/lib/vite'

export default pages('server', import.meta.dirname)
